/* Any bytes as an EncryptedData record: refused, or within the documented sizes; and without
 * the key nothing opens. */
#include "record.h"

#include <alk/secret_service.h>

#include <sodium.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32] = {1};
    struct alk_record record;
    uint8_t *out;

    if (alk_secret_record_parse((const char *)data, size, &record) != 0)
        return 0;
    if (record.version < 1 || record.version > 0x80000000U || record.len < ALK_GCM_TAG_SIZE ||
        record.len > ALK_SECRET_TEXT_MAX + ALK_GCM_TAG_SIZE)
        abort();
    out = malloc(record.len);
    if (out != NULL && (alk_secret_record_open(key, &record, out) != ALK_SECRET_E_RECORD ||
                        !sodium_is_zero(out, record.len - ALK_GCM_TAG_SIZE)))
        abort();
    free(out);
    alk_secret_record_clear(&record);
    return 0;
}

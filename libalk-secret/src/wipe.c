/* Stack and vector registers. */
#include "wipe.h"

#include <sodium.h>
#include <stdint.h>

#define STACK 16384 /* deeper than any call into libcrypto, libsodium or libsecp256k1 goes */

#if defined(__x86_64__)

/* The legacy area and header of XSAVE (Intel SDM 1, 13.4). */
struct xsave_area {
    uint8_t before[24];
    uint32_t mxcsr;
    uint8_t after[484];
    uint8_t header[64]; /* zero: "every component is in its initial state" */
} __attribute__((aligned(64)));

/* XRSTOR from an area that says "initial state" zeroes the registers it is asked to restore,
 * up to the sixteen upper ones of AVX-512, which no compiler flag of ours reaches but which
 * libc's string functions use. All of them are the callee's to change. */
__attribute__((noinline)) static void wipe_vector_registers(void)
{
    const uint32_t sse_avx_avx512 = 0xe6;
    struct xsave_area area = {0};

    if (!__builtin_cpu_supports("avx"))
        return; /* so there may be no XRSTOR */
    __asm__ volatile("stmxcsr %0\n\t"
                     "xrstor %1"
                     : "+m"(area.mxcsr)
                     : "m"(area), "a"(sse_avx_avx512), "d"(0)
                     : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

#elif defined(__aarch64__)

/* Writing a vector register zeroes what SVE has above it. The lower halves of v8 to v15 are the
 * caller's to keep (AAPCS64, 6.1.2), and so hold nothing of ours. */
__attribute__((noinline)) static void wipe_vector_registers(void)
{
    __asm__ volatile(".irp n, 0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
                     "movi v\\n\\().2d, #0\n\t"
                     ".endr\n\t"
                     ".irp n, 8,9,10,11,12,13,14,15\n\t"
                     "mov v\\n\\().d[1], xzr\n\t"
                     ".endr"
                     :
                     :
                     : "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17",
                       "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
                       "v29", "v30", "v31");
}

#else

static void wipe_vector_registers(void)
{
}

#endif

void alk_secret_wipe_traces(void)
{
    sodium_stackzero(STACK);
    wipe_vector_registers();
}

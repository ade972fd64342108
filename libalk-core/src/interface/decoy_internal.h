/* The inside of the decoy, shared by its files only. */
#ifndef ALK_INTERFACE_DECOY_INTERNAL_H
#define ALK_INTERFACE_DECOY_INTERNAL_H

#include "interface/decoy.h"

/* Statuses that are a variant of 400, numbered as nginx does. */
enum { DECOY_HEADERS_TOO_LARGE = 494, DECOY_PLAIN_TO_TLS = 497 };

/* The segments of a path, as far as they matter: does it leave the root, is it well encoded? */
struct decoy_path {
    int state;       /* of decoy_request.c */
    int before_code; /* the state that a %XX stands in */
    unsigned depth;
    unsigned code;
    bool is_bad;
    bool is_over; /* the query or a fragment has begun */
};

enum decoy_connection { DECOY_BY_VERSION, DECOY_CONNECTION_CLOSE, DECOY_CONNECTION_KEEP };

/* Headers of which there may be one. */
enum { DECOY_UNIQUE_MAX = 12 };

struct decoy_request {
    int state; /* of the parser */
    int error; /* a status, 0 so far */
    unsigned major, minor;
    unsigned version; /* 1001 is 1.1, 9 is 0.9; 1000 until it is known */
    bool is_head, is_get, is_trace, is_connect;
    struct decoy_path path;
    size_t host_start, host_end; /* in line, of an absolute URI; end 0: none */

    /* the header that is being read: places in line */
    size_t name_end, value_start, value_end;
    bool ignored;     /* its name has a strange character */
    unsigned headers; /* how many have come that were not */

    /* what the headers said */
    bool has_host, has_length, has_coding, chunked_coding, has_via, pads, is_old_msie, has_agent;
    bool has_encoding, takes_gzip;
    unsigned unique; /* bits: those that have come */
    enum decoy_connection connection;
    uint64_t length;
    bool bad_length;

    /* how it is buffered */
    size_t line_len;   /* of the line that is being read */
    size_t used, room; /* of the present buffer */
    unsigned buffers;  /* large ones */
};

struct decoy_body {
    bool chunked;
    int state;
    uint64_t left; /* of the body, or of the chunk */
};

enum decoy_phase {
    DECOY_WAITING,    /* for the first byte of the first request */
    DECOY_IDLE,       /* for that of another */
    DECOY_READING,    /* a request */
    DECOY_DISCARDING, /* a body, after the answer */
    DECOY_OVER,
};

struct alk_decoy {
    enum decoy_phase phase;
    enum alk_decoy_end end;
    uint64_t deadline, last_moment; /* last_moment: of discarding */
    unsigned requests;
    bool secure, keep;
    char server[ALK_DECOY_SERVER_MAX + 1];
    struct decoy_request request;
    struct decoy_body body;
    char line[ALK_DECOY_LINE_MAX + 1];
};

/* ---- decoy_request.c ---- */
void decoy_request_begin(struct decoy_request *request);
/* True when the request is over: its headers have ended, or error says what is wrong. */
bool decoy_request_take(struct decoy_request *request, char *line, unsigned char byte);

/* ---- decoy_headers.c ---- */
bool decoy_host_is_valid(const char *host, size_t len);
/* A complete header; sets error when there must not be another one of it. */
void decoy_header(struct decoy_request *request, const char *name, size_t name_len,
                  const char *value, size_t value_len);

/* ---- decoy_body.c ---- */
enum decoy_body_outcome { DECOY_BODY_MORE, DECOY_BODY_DONE, DECOY_BODY_BAD };
/* Takes bytes of the body; *taken says how many. */
enum decoy_body_outcome decoy_body_take(struct decoy_body *body, const unsigned char *data,
                                        size_t len, size_t *taken);

/* ---- decoy_response.c ---- */
void decoy_respond(const struct alk_decoy *decoy, int status, time_t wall, struct alk_buffer *out);

#endif

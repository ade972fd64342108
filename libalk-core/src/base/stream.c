#include <alk/stream.h>

void alk_stream_set_handler(struct alk_stream *stream, alk_stream_fn fn, void *user)
{
    stream->on_ready = fn;
    stream->user = user;
}

void alk_stream_watch(struct alk_stream *stream, unsigned interest)
{
    stream->ops->watch(stream, interest);
}

ssize_t alk_stream_read(struct alk_stream *stream, void *data, size_t len)
{
    return stream->ops->read(stream, data, len);
}

ssize_t alk_stream_readv(struct alk_stream *stream, const struct iovec *parts, int count)
{
    if (stream->ops->readv != NULL && count > 1)
        return stream->ops->readv(stream, parts, count);
    return stream->ops->read(stream, parts[0].iov_base, parts[0].iov_len);
}

ssize_t alk_stream_writev(struct alk_stream *stream, const struct iovec *parts, int count)
{
    return stream->ops->writev(stream, parts, count);
}

ssize_t alk_stream_write(struct alk_stream *stream, const void *data, size_t len)
{
    /* writev does not write through iov_base; the type just cannot say so */
    union {
        const void *in;
        void *out;
    } base = {.in = data};
    struct iovec part = {.iov_base = base.out, .iov_len = len};

    return stream->ops->writev(stream, &part, 1);
}

int alk_stream_finish(struct alk_stream *stream)
{
    return stream->ops->finish(stream);
}

void alk_stream_close(struct alk_stream *stream)
{
    if (stream != NULL)
        stream->ops->close(stream);
}

void alk_stream_abort(struct alk_stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->ops->abort != NULL)
        stream->ops->abort(stream);
    else
        stream->ops->close(stream);
}

void alk_stream_limit_unsent(struct alk_stream *stream, size_t bytes)
{
    if (stream->ops->limit_unsent != NULL)
        stream->ops->limit_unsent(stream, bytes);
}

void alk_stream_limit_unread(struct alk_stream *stream, size_t bytes, unsigned path_us)
{
    if (stream->ops->limit_unread != NULL)
        stream->ops->limit_unread(stream, bytes, path_us);
}

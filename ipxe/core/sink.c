// SPDX-License-Identifier: MPL-2.0
// See sink.h.
#include "core/sink.h"

#include "core/disks.h"
#include "core/helpers.h"
#include "core/intake.h"

static bool judge_local(void *ctx, uint32_t chunk)
{
    struct core_sink *sink = ctx;
    uint64_t before = core_now(sink->core);
    bool good = intake_local(&sink->stream.intake, chunk) == 1;
    sink->digest_us += core_now(sink->core) - before;
    return good;
}

// Bytes of a part that lie in its place from before.
static int reuse_part(struct core_sink *sink)
{
    struct core_image *image = sink->image;
    const struct seal_part *p = &image->seal.parts[sink->part];
    uint64_t turned = core_now(sink->core), end = seal_part_end(&image->seal, sink->part);
    int err = 0;
    if (image->stale >> sink->part & 1)
        for (uint64_t at = p->offset; !err && at < end; at += image->seal.chunk_size) {
            (void)judge_local(sink, (uint32_t)(at >> __builtin_ctz(image->seal.chunk_size)));
            err = core_disk_turn(sink->core, &turned);
        }
    image->stale &= ~(1u << sink->part);
    stream_go(&sink->stream);
    if (!err && sink->stream.state == STREAM_VERIFIED)
        console_say("seal", "%s is in memory already and is not fetched", p->name);
    return err;
}

static int open_part(struct core_sink *sink)
{
    struct core *core = sink->core;
    struct core_image *image = sink->image = core->images.asked_image;
    sink->part = core->images.asked_part;
    sink->kind = SINK_IMAGE;
    core_helpers_start(core);
    meter_start(&sink->meter, 0, core_now(core));
    int err = stream_init_part(&sink->stream, &image->seal, sink->part, &image->map, image->list, image->chunk_bits);
    return err ? err : reuse_part(sink);
}

int core_sink_open(struct core_sink **ret, struct core *core, const struct uri *uri)
{
    struct core_sink *sink = core->platform->alloc(core->platform->ctx, sizeof *sink);
    if (!sink)
        return ERR_NO_MEMORY;
    memset(sink, 0, offsetof(struct core_sink, from));
    sink->core = core;
    sink->uri = *uri;
    sink->started = core_now(core);
    sink->asked = core->images.asked;
    *ret = sink;
    int err = sink->asked == ASKED_PART ? open_part(sink) : 0;
    if (err) {
        core_helpers_stop(core);
        core->platform->free(core->platform->ctx, sink);
    }
    return err;
}

static int plan(void *ctx, struct intake *in)
{
    struct core_sink *sink = ctx;
    int err = core_intake_plan(sink->core, &in->seal, "");
    const struct core_image *image = sink->core->images.coming;
    meter_start(&sink->meter, 0, core_now(sink->core));
    return err ? err : intake_accept(in, &image->map, image->list, image->chunk_bits);
}

// Whole chunks go to the other processors and come back; what they are too busy for, or erred about, is hashed here.
static void share(struct core_sink *sink)
{
    if (!core_intake_share(sink->core, &sink->stream.intake) || !core_helpers_free())
        (void)stream_work(&sink->stream);
}

static int into_image(struct core_sink *sink, const uint8_t *data, size_t len)
{
    uint64_t before = core_now(sink->core);
    int err = stream_input(&sink->stream, data, len);
    if (!err) {
        share(sink);
        err = sink->stream.error;
    }
    sink->digest_us += core_now(sink->core) - before;
    const struct stream *s = &sink->stream;
    if (s->state >= STREAM_PAYLOAD && !err && sink->asked != ASKED_SEAL)
        console_meter(&sink->meter, sink->uri.scheme, s->at - s->payload_at, s->file_end - s->file_start, before);
    return err;
}

static int into_head(struct core_sink *sink, const uint8_t *data, size_t len)
{
    if (len > SINK_SCRIPT_MAX - sink->head_len)
        return ERR_TOO_LARGE;
    memcpy(sink->head + sink->head_len, data, len);
    sink->head_len += len;
    return 0;
}

int core_sink_data(struct core_sink *sink, const uint8_t *data, size_t len)
{
    if (sink->kind == SINK_IMAGE)
        return into_image(sink, data, len);
    int err = into_head(sink, data, len);
    if (err || sink->kind == SINK_SCRIPT || sink->head_len < SINK_SNIFF)
        return err;
    if (sink->asked == ASKED_FILE && script_is_script((const char *)sink->head, sink->head_len)) {
        sink->kind = SINK_SCRIPT;
        return 0;
    }
    if (memcmp(sink->head, SEAL_MAGIC, SINK_SNIFF) != 0)
        return ERR_SEAL_MAGIC;
    const struct stream_ops ops = { .ctx = sink, .plan = plan };
    sink->kind = SINK_IMAGE;
    (sink->asked == ASKED_SEAL ? stream_init_detached : stream_init)(&sink->stream, &sink->core->embed.trust, &ops, sink->core->images.seal);
    sink->stream.hold = sink->local;
    return into_image(sink, sink->head, sink->head_len);
}

int core_sink_bytes(struct core_sink *sink, uint64_t at, const uint8_t *data, size_t len)
{
    uint64_t known = sink->kind == SINK_IMAGE ? sink->stream.at : 0;
    if (at >= known)
        return core_sink_data(sink, data, len);
    size_t skip = (size_t)MIN(known - at, (uint64_t)len);
    return skip == len ? 0 : core_sink_data(sink, data + skip, len - skip);
}

// The way broke. 0: it is to be tried once more.
static int try_again(struct core_sink *sink, int err)
{
    if (err != ERR_TRUNCATED && err != ERR_CONN_RESET && err != ERR_CONN_REFUSED && err != ERR_TIMED_OUT)
        return err;
    uint64_t at = sink->stream.at;
    if (at - sink->place >= SINK_GAIN)
        sink->tries = 0;
    if (!sink->tries)
        sink->place = at;
    sink->tries += err == ERR_TIMED_OUT ? SINK_TRIES_SILENT : 1;
    if (sink->tries >= SINK_TRIES_MAX)
        return err;
    console_say(sink->uri.scheme, "%s [%s] after %llu bytes; going on there", err_text(err), err_code(err), (unsigned long long)at);
    return core_sleep(sink->core, err == ERR_TIMED_OUT ? 0 : (sink->tries - 1) * SINK_PAUSE_US, false);
}

static int reuse(struct core_sink *sink)
{
    int err = core_intake_reuse(sink->core, &sink->stream.intake, judge_local, sink);
    stream_go(&sink->stream);
    meter_start(&sink->meter, sink->stream.at - sink->stream.payload_at, core_now(sink->core));
    return err;
}

bool core_sink_enough(const struct core_sink *sink)
{
    const struct stream *s = &sink->stream;
    return sink->local && sink->kind == SINK_IMAGE && s->state >= (s->hold ? STREAM_PAYLOAD : STREAM_DIGESTS);
}

// A first range was all of a script, or is its front.
static int next_of_other(struct core_sink *sink, int err, struct range *range)
{
    if (err || sink->head_len < range->to)
        return err ? err : 1;
    sink->kind = SINK_SNIFFING;
    sink->head_len = 0;
    *range = (struct range){ 0, RANGE_END };
    return 0;
}

int core_sink_next(struct core_sink *sink, int err, struct range *range)
{
    struct stream *s = &sink->stream;
    if (!sink->begun) {
        sink->begun = true;
        if (sink->asked == ASKED_FILE)
            sink->local = sink->core->images.partial || core_keep_wanted(sink->core);
        else
            sink->local = s->at > 0; // what is verified of a part is not asked for again
        *range = (struct range){ 0, sink->local ? STREAM_FRONT : RANGE_END };
        if (sink->local && sink->asked == ASKED_PART)
            *range = stream_wants(s);
        return err || s->state < STREAM_DIGESTS ? err : 1;
    }
    if (sink->kind != SINK_IMAGE)
        return next_of_other(sink, err, range);
    bool came = !err && s->at >= range->to;
    if (!err && s->hold && s->state == STREAM_PAYLOAD) {
        err = reuse(sink);
        came = true;
    }
    if (err == ERR_CANCELLED || s->state >= STREAM_DIGESTS)
        return err ? err : 1;
    *range = sink->local ? stream_wants(s) : (struct range){ s->at, RANGE_END };
    return came ? 0 : try_again(sink, err ? err : ERR_TRUNCATED);
}

// A file that is not the one that the seal has at this place, and how so.
static void say_part(const struct core_sink *sink, int err)
{
    const struct seal_part *p = &sink->image->seal.parts[sink->part];
    const char *how = err == ERR_SEAL_CHUNK      ? "is not"
                      : err == ERR_SEAL_TRAILING ? "has more bytes than"
                      : err == ERR_TRUNCATED     ? "has fewer bytes than"
                                                 : "cannot be fetched as";
    console_error(err_group(err) == 'S' ? "seal" : sink->uri.scheme, err, "%s%s %s %s, file %u of %s (%llu bytes)", sink->uri.host, sink->uri.path,
                  how, p->name, sink->part + 1, sink->image->seal.name, (unsigned long long)seal_file_size(p));
}

bool core_sink_no_seal(const struct core *core, const struct uri *uri, int err)
{
    if (core->images.asked != ASKED_SEAL || (err != ERR_NOT_FOUND && err != ERR_TFTP_ERROR))
        return false;
    console_say("seal", "none at %s%s", uri->host, uri->path);
    return true;
}

static void say_image(struct core_sink *sink, int err)
{
    struct core *core = sink->core;
    if (err && sink->asked == ASKED_PART) {
        say_part(sink, err);
        return;
    }
    if (err == ERR_SEAL_MAGIC && sink->asked == ASKED_FILE && core->images.asked_beside) {
        core->images.unknown = true; // its seal may lie there: the caller says what comes of it
        return;
    }
    if (err) {
        console_error(err_group(err) == 'S' ? "seal" : sink->uri.scheme, err, "%s%s%s", sink->uri.host,
                      sink->uri.host[0] || sink->uri.path[0] ? sink->uri.path : "the partition", // that `disk:` does not name
                      err != ERR_SEAL_MAGIC ? "" : sink->asked == ASKED_SEAL ? " is no seal" : " is no script, has no seal and is not started");
        core_image_fail(core);
        return;
    }
    if (sink->asked == ASKED_SEAL) {
        core_image_sealed(core);
        return;
    }
    uint64_t total = core_now(core) - sink->started;
    console_say(sink->uri.scheme, "timing: bytes=%llu total_us=%llu digest_us=%llu transport_us=%llu helped=%u",
                (unsigned long long)(sink->stream.end - sink->stream.file_start), (unsigned long long)total,
                (unsigned long long)sink->digest_us, (unsigned long long)(total - sink->digest_us), core_helpers_jobs());
    if (sink->asked == ASKED_FILE)
        core_image_done(core);
}

// A script that came from outside may choose among sources; it cannot change what is trusted.
static int run_outside_script(struct core_sink *sink)
{
    struct core *core = sink->core;
    const struct uri *base = core->base;
    core->base = &sink->uri;
    console_say("script", "running %s%s", sink->uri.host, sink->uri.path);
    int err = uri_format(&sink->uri, sink->from, sizeof sink->from);
    if (err >= 0)
        err = core_run_script(core, sink->from, (const char *)sink->head, sink->head_len);
    core->base = base;
    core->images.unknown = false; // of what the script has fetched
    return err;
}

// All that there is lies in the head, and is shorter than what tells an image.
static int end_of_short(struct core_sink *sink)
{
    if (sink->head_len == 0)
        return ERR_EMPTY;
    if (sink->asked != ASKED_FILE || !script_is_script((const char *)sink->head, sink->head_len))
        return memcmp(sink->head, SEAL_MAGIC, sink->head_len) == 0 ? ERR_TRUNCATED : ERR_SEAL_MAGIC;
    sink->kind = SINK_SCRIPT;
    return 0;
}

int core_sink_close(struct core_sink *sink, int err)
{
    const struct platform *p = sink->core->platform;
    while (!err && sink->kind == SINK_IMAGE && sink->stream.state == STREAM_DIGESTS) {
        (void)core_helpers_work();
        share(sink);
    }
    core_helpers_stop(sink->core);
    if (!err && sink->kind == SINK_IMAGE)
        err = stream_end(&sink->stream);
    if (!err && sink->kind == SINK_SNIFFING)
        err = end_of_short(sink);
    if (sink->kind == SINK_SCRIPT && !err) {
        err = run_outside_script(sink);
    } else if (sink->kind == SINK_SNIFFING && core_sink_no_seal(sink->core, &sink->uri, err)) {
        err = ERR_NOT_FOUND; // and not one of which the beginning came
    } else {
        say_image(sink, err);
    }
    p->free(p->ctx, sink);
    return err;
}

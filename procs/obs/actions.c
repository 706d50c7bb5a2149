/*
 * actions.c - the table of actions: names, arguments, help; how they are checked, looked up, written and refused
 *
 * In:    words, already committed and young enough
 * Out:   one message to OBS each, in the lane of shows, with the last moment at which it may go out
 * Fails: what does not exist, what this OBS cannot do and what makes no sense now is refused at once; what OBS refuses is told in its own words
 */
#include "procs/obs/actions_int.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/config/suggest.h"

#define TARGET	"[program|preview]"
#define SWITCH	"on|off|toggle"
#define OUTPUT	"start|stop|toggle"
#define PICTURE "NAME [SOURCE]" /* a camera, or the PTZ target that moves it, or a scene and a source in it */

/* X(NAME in C, name, arguments, function, help) */
#define ACTIONS(X)                                                                                                                        \
	X(SCENE, "scene", "NAME " TARGET, obs_do_scene, "show a scene: in preview if studio mode is on, else on air")                     \
	X(PROGRAM, "program", "NAME", obs_do_program, "put a scene on air with the current transition")                                   \
	X(PREVIEW, "preview", "NAME", obs_do_preview, "put a scene into preview; in studio mode")                                         \
	X(NEXT, "next", TARGET, obs_do_next, "the next scene of OBS's list")                                                              \
	X(PREVIOUS, "previous", TARGET, obs_do_previous, "the scene before in OBS's list")                                                \
	X(CUT, "cut", "[SCENE]", obs_do_cut, "put the preview, or a scene, on air without a transition")                                  \
	X(TRANSITION, "transition", "[NAME] [MS]", obs_do_transition,                                                                     \
	  "preview to program; NAME and MS become the current transition and its duration")                                               \
	X(STUDIO_MODE, "studio-mode", SWITCH, obs_do_studio_mode, "studio mode; preview begins with what is on air")                      \
	X(STREAM, "stream", OUTPUT, obs_do_stream, "start and stop streaming")                                                                              \
	X(RECORD, "record", OUTPUT, obs_do_record, "start or stop the recording")                                                                              \
	X(REPLAY, "replay", OUTPUT, obs_do_replay, "start or stop the replay buffer")                                                                       \
	X(VIRTUAL_CAMERA, "virtual-camera", OUTPUT, obs_do_virtual_camera, "start or stop the virtual camera")                                              \
	X(PAUSE, "pause", SWITCH, obs_do_pause, "pause the recording")                                                                    \
	X(SPLIT_FILE, "split-file", NULL, obs_do_split_file, "go on recording in another file")                                           \
	X(CHAPTER, "chapter", "[NAME]", obs_do_chapter, "chapter mark in the recording")                                                  \
	X(SAVE_REPLAY, "save-replay", NULL, obs_do_save_replay, "save the replay buffer")                                                 \
	X(MUTE, "mute", "INPUT " SWITCH, obs_do_mute, "mute of an input")                                                                 \
	X(ITEM, "item", "SCENE ITEM show|hide|toggle", obs_do_item, "show or hide an item of a scene; ITEM#2 is the second of one source") \
	X(FILTER, "filter", "SOURCE FILTER " SWITCH, obs_do_filter, "a filter of an input or of a scene")                                 \
	X(HOTKEY, "hotkey", "NAME [CONTEXT]", obs_do_hotkey, "a hotkey by OBS's name for it, of the source CONTEXT")                      \
	X(KEYS, "keys", "KEYS", obs_do_keys, "a hotkey by its keys: CTRL+SHIFT+F1")                                                       \
	X(MEDIA, "media", "INPUT play|pause|stop|restart|next|previous|toggle", obs_do_media, "transport of a media source")              \
	X(SEEK, "seek", "INPUT MS", obs_do_seek, "to a position in a media source; +MS and -MS: forward and back")                        \
	X(SCREENSHOT, "screenshot", "SOURCE FILE", obs_do_screenshot,                                                                     \
	  "picture of a source or scene, or of program or preview, into a file where OBS runs")                                           \
	X(PROFILE, "profile", "NAME", obs_do_profile, "another profile")                                                                  \
	X(COLLECTION, "collection", "NAME", obs_do_collection, "another scene collection")                                                \
	X(PRESS_BUTTON, "press-button", "INPUT BUTTON", obs_do_press_button,                                                              \
	  "a button of an input's properties; refreshnocache reloads a browser")                                                          \
	X(REQUEST, "request", "TYPE [JSON]", obs_do_request, "any request of obs-websocket: the last resort")                             \
	X(CAMERA, "camera", "CAMERA [TARGET]", obs_do_camera,                                                                \
	  "show a camera, in a split view in the split; TARGET: program, preview, or a PTZ target: as its modifier says")                                       \
	X(SPLIT, "split", "left|right|enter|toggle|exit [left|right]", obs_do_split, "into a split view, out of it, or the one or the other")                                       \
	X(NUDGE_X, "nudge-x", PICTURE " [STEP]", obs_do_nudge_x, "move a camera, or a scene's source, sideways: 2 px if not told otherwise")          \
	X(NUDGE_Y, "nudge-y", PICTURE " [STEP]", obs_do_nudge_y, "move it up and down")                                                   \
	X(SCALE, "scale", PICTURE " [STEP]", obs_do_zoom, "zoom it about the middle, 0.02 (2 %) if not told otherwise")                   \
	X(RESET_POSITION, "reset-position", PICTURE, obs_do_reset, "back to the middle")                                                  \
	X(RESET_ZOOM, "reset-zoom", PICTURE, obs_do_reset, "back to full size, the middle stays")                                         \
	X(RESET, "reset", PICTURE, obs_do_reset, "both: in the middle, at full size")                                                                                  \
	X(PTZ, "ptz", "PTZ CAMERA", obs_do_ptz, "which camera a PTZ target moves; dynamic: the one in preview")

/* clang-format off */
enum {
#define ACTION_ID(id, name, args, fn, help) DO_##id,
	ACTIONS(ACTION_ID)
#undef ACTION_ID
	DO_COUNT
};

const struct bh_action_desc obs_actions[] = {
#define ACTION_ROW(id, n, a, fn, h) [DO_##id] = BH_ACTION(n, .args = (a), .help = (h)),
	ACTIONS(ACTION_ROW)
#undef ACTION_ROW
	{0},
};

static const obs_deed deeds[DO_COUNT] = {
#define ACTION_FN(id, name, args, fn, help) [DO_##id] = (fn),
	ACTIONS(ACTION_FN)
#undef ACTION_FN
};
/* clang-format on */

/* ------------------------------------------------------------------ refusing */

struct obs_ask
obs_ask_of(const struct obs_doing *d)
{
	return (struct obs_ask){.lane = OBS_LANE_SHOW, .req = OBS_REQ_COUNT, .is_action = true, .action = d->a->id,
				.origin = d->a->origin, .gen = d->a->gen, .asked_ns = d->a->stamp_ns, .until_ns = d->until_ns, .ref = d->ref};
}

int
obs_refuse(const struct obs_doing *d, int err, const char *fmt, ...)
{
	struct obs_ask ask = obs_ask_of(d);
	char text[240];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	obs_fail(d->m, &ask, "%s", text);
	return -err;
}

/* ------------------------------------------------------------------ arguments */

const char *
obs_arg(const struct obs_doing *d, unsigned n)
{
	return n < d->a->argc ? d->a->argv[n] : NULL;
}

bool
obs_arg_is(const struct obs_doing *d, unsigned n, const char *word)
{
	return n < d->a->argc && !strcmp(d->a->argv[n], word);
}

/* Words in lower case are meant as they are written; one in capitals stands for anything. */
static bool
is_choice(const char *spec, size_t len, const char *arg)
{
	for (size_t i = 0; i < len; i++)
		if (isupper((unsigned char)spec[i]))
			return true;
	for (size_t i = 0; i < len;) {
		size_t n = 0;

		while (i + n < len && spec[i + n] != '|')
			n++;
		if (strlen(arg) == n && !memcmp(spec + i, arg, n))
			return true;
		i += n + 1;
	}
	return false;
}

/* Are there as many as the table says, and is each a word that it may be? */
static int
check_arguments(const struct obs_doing *d)
{
	const char *spec = obs_actions[d->a->id].args ? obs_actions[d->a->id].args : "", *name = obs_actions[d->a->id].name;
	unsigned n = 0;

	for (; *spec; n++) {
		bool optional = *spec == '[';
		size_t len = strcspn(spec += optional, " ]");

		if (n >= d->a->argc && !optional)
			return obs_refuse(d, EINVAL, "%s needs %s", name, obs_actions[d->a->id].args);
		if (n < d->a->argc && !is_choice(spec, len, d->a->argv[n]))
			return obs_refuse(d, EINVAL, "%s: \"%s\" is none of %.*s", name, d->a->argv[n], (int)len, spec);
		spec += len;
		spec += strspn(spec, " ]");
	}
	return d->a->argc > n ? obs_refuse(d, EINVAL, "%s takes %s", name, n ? obs_actions[d->a->id].args : "no arguments") : 0;
}

int
obs_model_action(struct obs_model *m, const struct bh_action *a, uint64_t now_ns, uint64_t max_age_ns)
{
	struct obs_doing d = {.m = m, .a = a, .until_ns = a->stamp_ns + max_age_ns < a->stamp_ns ? 0 : a->stamp_ns + max_age_ns};
	int r;

	if (a->id >= DO_COUNT)
		return -ENOENT;
	m->now_ns = now_ns;
	if (!m->connected)
		return obs_refuse(&d, ENOTCONN, "OBS is not connected");
	if (m->frozen)
		return obs_refuse(&d, ENOTCONN, "OBS is changing its scene collection or profile");
	if (d.until_ns && now_ns > d.until_ns)
		return obs_refuse(&d, ETIME, "too late");
	r = check_arguments(&d);
	return r < 0 ? r : deeds[a->id](&d);
}

/* ------------------------------------------------------------------ looking up */

static const char *
class_word(enum obs_class cls)
{
	switch (cls) {
	case OBS_SCENE: return "scene";
	case OBS_INPUT: return "input";
	case OBS_ITEM: return "item";
	case OBS_FILTER: return "filter";
	case OBS_CAMERA: return "camera";
	case OBS_PTZ: return "PTZ target";
	case OBS_ROOM:
	case OBS_SETTING:
	case OBS_CLASSES: break;
	}
	return "thing";
}

static int
refuse_name(const struct obs_doing *d, const char *what, const char *name, uint32_t parent, const char *near)
{
	bool of_config = !strcmp(what, "camera") || !strcmp(what, "PTZ target");
	char where[OBS_NAME_MAX + 16];

	snprintf(where, sizeof(where), parent == OBS_NONE ? "in %s" : "in \"%s\"",
		 parent != OBS_NONE ? d->m->object[parent].name : of_config ? "the configuration" : "OBS");
	if (near)
		return obs_refuse(d, ENOENT, "no %s \"%.80s\" %.100s; did you mean \"%.80s\"?", what, name, where, near);
	return obs_refuse(d, ENOENT, "no %s \"%.80s\" %.100s", what, name, where);
}

static void
offer(const struct obs_model *m, struct bh_suggest *s, enum obs_class cls, uint32_t parent)
{
	for (uint32_t i = 0; i < m->objects; i++)
		if (m->object[i].used && m->object[i].cls == cls && m->object[i].parent == parent)
			bh_suggest_offer(s, m->object[i].name);
}

uint32_t
obs_look(const struct obs_doing *d, enum obs_class cls, uint32_t parent, const char *name)
{
	uint32_t at = obs_find(d->m, cls, parent, name);
	struct bh_suggest s = {.word = name};

	if (at != OBS_NONE)
		return at;
	offer(d->m, &s, cls, parent);
	refuse_name(d, class_word(cls), name, parent, s.best);
	return OBS_NONE;
}

uint32_t
obs_look_source(const struct obs_doing *d, const char *name)
{
	uint32_t at = obs_find_source(d->m, name);
	struct bh_suggest s = {.word = name};

	if (at != OBS_NONE)
		return at;
	offer(d->m, &s, OBS_INPUT, OBS_NONE);
	offer(d->m, &s, OBS_SCENE, OBS_NONE);
	refuse_name(d, "source", name, OBS_NONE, s.best);
	return OBS_NONE;
}

const char *
obs_look_list(const struct obs_doing *d, const struct obs_list *l, const char *what, const char *name)
{
	int64_t at = obs_list_find(l, name);
	struct bh_suggest s = {.word = name};

	if (at >= 0)
		return l->name[at];
	for (uint32_t i = 0; i < l->count; i++)
		bh_suggest_offer(&s, l->name[i]);
	refuse_name(d, what, name, OBS_NONE, s.best);
	return NULL;
}

bool
obs_is_on(const struct obs_model *m, uint32_t object, enum obs_kind k)
{
	struct bh_value v;

	return obs_told(m, object, k, &v) && v.i != 0;
}

/* What the desk shows is what is turned over. */
int
obs_onoff(const struct obs_doing *d, unsigned arg, uint32_t object, enum obs_kind k)
{
	struct bh_value v;

	if (!obs_arg_is(d, arg, "toggle"))
		return obs_arg_is(d, arg, "on") || obs_arg_is(d, arg, "show") || obs_arg_is(d, arg, "start");
	if (!obs_told(d->m, object, k, &v))
		return obs_refuse(d, EAGAIN, "OBS has not said yet whether it is on");
	return v.i == 0;
}

int
obs_must_have(const struct obs_doing *d, enum obs_req req, const char *what)
{
	return obs_can(d->m, req) ? 0 : obs_refuse(d, ENOTSUP, "this OBS cannot %s: it has no %s", what, obs_req_name(req));
}

/* ------------------------------------------------------------------ writing */

static void
put_members(struct obs_out *o, const char *types, va_list ap)
{
	for (; *types; types++) {
		const char *key = va_arg(ap, const char *);

		switch (*types) {
		case 's': obs_put_str(o, key, va_arg(ap, const char *)); break;
		case 'b': obs_put_bool(o, key, va_arg(ap, int)); break;
		case 'i': obs_put_int(o, key, va_arg(ap, int64_t)); break;
		case 'n': obs_put_number(o, key, va_arg(ap, double)); break;
		}
	}
}

static int
no_room(const struct obs_doing *d)
{
	return obs_refuse(d, ENOSPC, "OBS does not keep up: too many actions wait");
}

static int
commit(struct obs_doing *d, enum obs_req req)
{
	if (!obs_out_done(d->o))
		return obs_refuse(d, EMSGSIZE, "too long for one message to OBS");
	return obs_do_commit(d->m, req, d->a, d->ref, d->until_ns) < 0 ? no_room(d) : 0;
}

int
obs_act(struct obs_doing *d, enum obs_req req, const char *types, ...)
{
	va_list ap;

	d->o = obs_do_begin(d->m, req, (uint32_t)strlen(types), &d->id);
	if (!d->o)
		return no_room(d);
	va_start(ap, types);
	put_members(d->o, types, ap);
	va_end(ap);
	return commit(d, req);
}

void
obs_batch(struct obs_doing *d, uint32_t requests)
{
	d->o = obs_queue_begin(d->m->queue, OBS_LANE_SHOW, &d->id);
	if (d->o)
		obs_put_batch(d->o, d->id, requests);
}

void
obs_batched(struct obs_doing *d, enum obs_req req, const char *types, ...)
{
	va_list ap;

	if (!d->o)
		return;
	obs_put_batched(d->o, req, (uint32_t)strlen(types));
	va_start(ap, types);
	put_members(d->o, types, ap);
	va_end(ap);
}

void
obs_batched_vars(struct obs_doing *d, enum obs_req req, const char *in, const char *out, const char *types, ...)
{
	va_list ap;

	if (!d->o)
		return;
	obs_put_batched_vars(d->o, req, in, out, (uint32_t)strlen(types));
	va_start(ap, types);
	put_members(d->o, types, ap);
	va_end(ap);
}

int
obs_batch_end(struct obs_doing *d, enum obs_req about)
{
	return d->o ? commit(d, about) : no_room(d);
}

/* ------------------------------------------------------------------ answers */

/* Of a batch: it has failed if one of its requests has, and the first that has says why. */
bool
obs_model_batched(struct obs_model *m, const struct obs_msg *msg, uint64_t now_ns)
{
	struct obs_result r = {.ok = false}, one;
	struct obs_ask ask;
	bool whole = msg->results > 0;

	for (uint32_t i = 0; i < msg->results && whole; i++) {
		if (!obs_batch_result(msg, i, &one))
			whole = false;
		else if (i == 0 || !one.ok)
			r = one;
		if (whole && !one.ok)
			break;
	}
	if (!whole)
		r = (struct obs_result){.req = OBS_REQ_COUNT, .comment = "an answer that cannot be read"};
	if (!obs_queue_answer(m->queue, msg->batch_id, r.ok, now_ns, &ask))
		return false;
	if (!r.ok && r.req < OBS_REQ_COUNT)
		ask.req = r.req;
	obs_model_answer(m, &ask, &r, now_ns);
	return true;
}

/*
 * deeds.c - actions that do not choose what is shown: outputs, sound, items, filters, media, hotkeys, profiles, the raw request
 *
 * "toggle" turns over what OBS has told and the desk shows, never what OBS may have become unseen: a press on a light that is on means off.
 */
#include "procs/obs/actions_int.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 0u

/* ------------------------------------------------------------------ outputs */

static int
output(struct obs_doing *d, const char *what, enum obs_kind k, enum obs_req start, enum obs_req stop)
{
	int on = obs_onoff(d, 0, ROOM, k), r;
	struct bh_value v;

	if (on < 0)
		return on;
	if ((r = obs_must_have(d, on ? start : stop, what)) < 0)
		return r;
	if (obs_told(d->m, ROOM, k, &v) && (v.i != 0) == (on != 0))
		return obs_refuse(d, EALREADY, on ? "the %s runs already" : "the %s does not run", what);
	return obs_act(d, on ? start : stop, "");
}

int
obs_do_stream(struct obs_doing *d)
{
	return output(d, "stream", OBS_K_STREAM, OBS_REQ_START_STREAM, OBS_REQ_STOP_STREAM);
}

int
obs_do_record(struct obs_doing *d)
{
	return output(d, "recording", OBS_K_RECORD, OBS_REQ_START_RECORD, OBS_REQ_STOP_RECORD);
}

int
obs_do_replay(struct obs_doing *d)
{
	return output(d, "replay buffer", OBS_K_REPLAY, OBS_REQ_START_REPLAY, OBS_REQ_STOP_REPLAY);
}

int
obs_do_virtual_camera(struct obs_doing *d)
{
	return output(d, "virtual camera", OBS_K_VIRTUALCAM, OBS_REQ_START_VIRTUALCAM, OBS_REQ_STOP_VIRTUALCAM);
}

static int
must_run(const struct obs_doing *d, enum obs_kind k, const char *words)
{
	return obs_is_on(d->m, ROOM, k) ? 0 : obs_refuse(d, EPERM, "%s", words);
}

int
obs_do_pause(struct obs_doing *d)
{
	int r = must_run(d, OBS_K_RECORD, "nothing is being recorded"), on;

	if (r < 0 || (on = obs_onoff(d, 0, ROOM, OBS_K_RECORD_PAUSED)) < 0)
		return r < 0 ? r : on;
	if (on == obs_is_on(d->m, ROOM, OBS_K_RECORD_PAUSED))
		return obs_refuse(d, EALREADY, on ? "the recording pauses already" : "the recording does not pause");
	return obs_act(d, on ? OBS_REQ_PAUSE_RECORD : OBS_REQ_RESUME_RECORD, "");
}

int
obs_do_split_file(struct obs_doing *d)
{
	int r = obs_must_have(d, OBS_REQ_SPLIT_RECORD, "split a recording");

	if (r == 0)
		r = must_run(d, OBS_K_RECORD, "nothing is being recorded");
	return r < 0 ? r : obs_act(d, OBS_REQ_SPLIT_RECORD, "");
}

int
obs_do_chapter(struct obs_doing *d)
{
	const char *name = obs_arg(d, 0);
	int r = obs_must_have(d, OBS_REQ_CREATE_CHAPTER, "mark chapters");

	if (r == 0)
		r = must_run(d, OBS_K_RECORD, "nothing is being recorded");
	return r < 0 ? r : obs_act(d, OBS_REQ_CREATE_CHAPTER, name ? "s" : "", "chapterName", name);
}

int
obs_do_save_replay(struct obs_doing *d)
{
	int r = must_run(d, OBS_K_REPLAY, "the replay buffer does not run");

	return r < 0 ? r : obs_act(d, OBS_REQ_SAVE_REPLAY, "");
}

/* ------------------------------------------------------------------ inputs, items, filters */

static const char *
name_of(const struct obs_doing *d, uint32_t object)
{
	return d->m->object[object].name;
}

int
obs_do_mute(struct obs_doing *d)
{
	uint32_t input = obs_look(d, OBS_INPUT, OBS_NONE, obs_arg(d, 0));
	int on;

	if (input == OBS_NONE)
		return -ENOENT;
	if (!d->m->object[input].audio)
		return obs_refuse(d, ENOTSUP, "input \"%s\" has no sound", name_of(d, input));
	on = obs_onoff(d, 1, input, OBS_K_MUTE);
	return on < 0 ? on : obs_act(d, OBS_REQ_SET_INPUT_MUTE, "sb", "inputName", name_of(d, input), "inputMuted", on);
}

int
obs_do_item(struct obs_doing *d)
{
	uint32_t scene = obs_look(d, OBS_SCENE, OBS_NONE, obs_arg(d, 0)), item;
	int on;

	if (scene == OBS_NONE || (item = obs_look(d, OBS_ITEM, scene, obs_arg(d, 1))) == OBS_NONE)
		return -ENOENT;
	on = obs_onoff(d, 2, item, OBS_K_ITEM_VISIBLE);
	return on < 0 ? on
		      : obs_act(d, OBS_REQ_SET_ITEM_ENABLED, "sib", "sceneName", name_of(d, scene), "sceneItemId", d->m->object[item].id,
				"sceneItemEnabled", on);
}

int
obs_do_filter(struct obs_doing *d)
{
	uint32_t source = obs_look_source(d, obs_arg(d, 0)), filter;
	int on;

	if (source == OBS_NONE || (filter = obs_look(d, OBS_FILTER, source, obs_arg(d, 1))) == OBS_NONE)
		return -ENOENT;
	on = obs_onoff(d, 2, filter, OBS_K_FILTER_ENABLED);
	return on < 0 ? on
		      : obs_act(d, OBS_REQ_SET_FILTER_ENABLED, "ssb", "sourceName", name_of(d, source), "filterName", name_of(d, filter),
				"filterEnabled", on);
}

int
obs_do_press_button(struct obs_doing *d)
{
	uint32_t input = obs_look(d, OBS_INPUT, OBS_NONE, obs_arg(d, 0));

	return input == OBS_NONE ? -ENOENT
				 : obs_act(d, OBS_REQ_PRESS_BUTTON, "ss", "inputName", name_of(d, input), "propertyName", obs_arg(d, 1));
}

/* ------------------------------------------------------------------ media */

static uint32_t
media_input(const struct obs_doing *d)
{
	uint32_t input = obs_look(d, OBS_INPUT, OBS_NONE, obs_arg(d, 0));

	if (input == OBS_NONE || d->m->object[input].media)
		return input;
	obs_refuse(d, ENOTSUP, "input \"%s\" is no media source", name_of(d, input));
	return OBS_NONE;
}

/* What has stopped or ended is played from its start. */
static const char *
toggle_media(const struct obs_doing *d, uint32_t input)
{
	struct bh_value v;

	if (!obs_told(d->m, input, OBS_K_MEDIA_STATE, &v))
		return "play";
	switch ((enum obs_media)v.i) {
	case OBS_MEDIA_PLAYING:
	case OBS_MEDIA_OPENING:
	case OBS_MEDIA_BUFFERING: return "pause";
	case OBS_MEDIA_PAUSED: return "play";
	case OBS_MEDIA_NONE:
	case OBS_MEDIA_STOPPED:
	case OBS_MEDIA_ENDED:
	case OBS_MEDIA_ERROR: break;
	}
	return "restart";
}

int
obs_do_media(struct obs_doing *d)
{
	uint32_t input = media_input(d);
	char action[64] = "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_";
	size_t len = strlen(action);
	const char *word;

	if (input == OBS_NONE)
		return -ENOENT;
	for (word = obs_arg_is(d, 1, "toggle") ? toggle_media(d, input) : obs_arg(d, 1); *word && len + 1 < sizeof(action); word++)
		action[len++] = (char)toupper((unsigned char)*word);
	action[len] = '\0';
	return obs_act(d, OBS_REQ_TRIGGER_MEDIA, "ss", "inputName", name_of(d, input), "mediaAction", action);
}

int
obs_do_seek(struct obs_doing *d)
{
	uint32_t input = media_input(d);
	const char *ms = obs_arg(d, 1);
	bool relative = *ms == '+' || *ms == '-';
	char *end;
	int64_t n = strtoll(ms, &end, 10);

	if (input == OBS_NONE)
		return -ENOENT;
	if (end == ms || *end || n > INT32_MAX || n < -INT32_MAX)
		return obs_refuse(d, EINVAL, "\"%s\" is no time in ms", ms);
	return obs_act(d, relative ? OBS_REQ_OFFSET_MEDIA_CURSOR : OBS_REQ_SET_MEDIA_CURSOR, "si", "inputName", name_of(d, input),
		       relative ? "mediaCursorOffset" : "mediaCursor", n);
}

/* ------------------------------------------------------------------ hotkeys */

/* An OBS before 5.4 does not know contextName and would press the first hotkey of that name. 5.5 has requests that tell. */
int
obs_do_hotkey(struct obs_doing *d)
{
	const char *context = obs_arg(d, 1);
	int r = context ? obs_must_have(d, OBS_REQ_SPLIT_RECORD, "tell hotkeys of different sources apart") : 0;

	return r < 0 ? r : obs_act(d, OBS_REQ_TRIGGER_HOTKEY, context ? "ss" : "s", "hotkeyName", obs_arg(d, 0), "contextName", context);
}

enum { SHIFT = 1, CONTROL = 2, ALT = 4, COMMAND = 8 };

static unsigned
modifier(const char *word, size_t len)
{
	static const struct {
		const char *word;
		unsigned bit;
	} names[] = {{"SHIFT", SHIFT}, {"CTRL", CONTROL}, {"CONTROL", CONTROL}, {"ALT", ALT}, {"CMD", COMMAND}, {"COMMAND", COMMAND}, {"META", COMMAND}};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i].word) == len && !strncasecmp(names[i].word, word, len))
			return names[i].bit;
	return 0;
}

static int
put_keys(struct obs_doing *d, const char *key, unsigned held)
{
	static const char *const names[] = {"shift", "control", "alt", "command"};

	d->o = obs_do_begin(d->m, OBS_REQ_TRIGGER_HOTKEY_KEYS, held ? 2 : 1, &d->id);
	if (!d->o)
		return obs_refuse(d, ENOSPC, "OBS does not keep up: too many actions wait");
	obs_put_str(d->o, "keyId", key);
	if (held)
		obs_put_map(d->o, "keyModifiers", 4);
	for (unsigned i = 0; i < 4 && held; i++)
		obs_put_bool(d->o, names[i], held >> i & 1);
	return obs_do_commit(d->m, OBS_REQ_TRIGGER_HOTKEY_KEYS, d->a, d->ref, d->until_ns);
}

/* CTRL+SHIFT+F1; keys as OBS names them, OBS_KEY_ in front may be left out. */
int
obs_do_keys(struct obs_doing *d)
{
	const char *s = obs_arg(d, 0), *plus;
	char key[64] = "OBS_KEY_";
	unsigned held = 0;
	size_t len;

	for (; (plus = strchr(s, '+')) && plus[1]; s = plus + 1) {
		unsigned bit = modifier(s, (size_t)(plus - s));

		if (!bit)
			return obs_refuse(d, EINVAL, "\"%.*s\" is none of SHIFT, CTRL, ALT, CMD", (int)(plus - s), s);
		held |= bit;
	}
	if (!strncasecmp(s, "OBS_KEY_", 8))
		s += 8;
	if (!*s || strlen(s) > 40 || modifier(s, strlen(s)))
		return obs_refuse(d, EINVAL, "\"%s\" has no key in it", obs_arg(d, 0));
	for (len = strlen(key); *s; s++)
		key[len++] = *s == '+' ? '\0' : (char)toupper((unsigned char)*s);
	key[len] = '\0';
	return put_keys(d, !strcmp(key, "OBS_KEY_") ? "OBS_KEY_PLUS" : key, held);
}

/* ------------------------------------------------------------------ all else */

static const char *
picture_format(const char *file)
{
	static const char *const formats[] = {"png", "jpg", "jpeg", "bmp", "webp", "tiff", "tif"};
	const char *dot = strrchr(file, '.');

	for (unsigned i = 0; dot && i < sizeof(formats) / sizeof(*formats); i++)
		if (!strcasecmp(dot + 1, formats[i]))
			return formats[i];
	return NULL;
}

int
obs_do_screenshot(struct obs_doing *d)
{
	const char *name = obs_arg(d, 0), *file = obs_arg(d, 1), *format = picture_format(file);
	uint32_t source = obs_find_source(d->m, name);

	if (source == OBS_NONE && !strcmp(name, "program"))
		source = d->m->program;
	else if (source == OBS_NONE && !strcmp(name, "preview"))
		source = d->m->preview;
	if (source == OBS_NONE && (source = obs_look_source(d, name)) == OBS_NONE)
		return -ENOENT;
	if (!format)
		return obs_refuse(d, EINVAL, "\"%s\" is no picture's name: .png, .jpg, .bmp, .webp, .tiff", file);
	return obs_act(d, OBS_REQ_SAVE_SCREENSHOT, "sss", "sourceName", name_of(d, source), "imageFormat", format, "imageFilePath", file);
}

int
obs_do_profile(struct obs_doing *d)
{
	const char *name = obs_look_list(d, &d->m->profiles, "profile", obs_arg(d, 0));

	return name ? obs_act(d, OBS_REQ_SET_PROFILE, "s", "profileName", name) : -ENOENT;
}

int
obs_do_collection(struct obs_doing *d)
{
	const char *name = obs_look_list(d, &d->m->collections, "scene collection", obs_arg(d, 0));

	return name ? obs_act(d, OBS_REQ_SET_COLLECTION, "s", "sceneCollectionName", name) : -ENOENT;
}

int
obs_do_request(struct obs_doing *d)
{
	const char *type = obs_arg(d, 0), *json = obs_arg(d, 1);
	uint8_t data[OBS_BODY_MAX];
	int len = json ? obs_json_to_msgpack(json, data, sizeof(data)) : 0;

	if (len < 0)
		return obs_refuse(d, -len, len == -EMSGSIZE ? "the data of the request is too long" : "the data of a request is a JSON object: {\"sceneName\": \"Cam 1\"}");
	if (!*type || strlen(type) > 64)
		return obs_refuse(d, EINVAL, "\"%.80s\" is no type of request", type);
	d->o = obs_queue_begin(d->m->queue, OBS_LANE_SHOW, &d->id);
	if (!d->o)
		return obs_refuse(d, ENOSPC, "OBS does not keep up: too many actions wait");
	obs_put_raw_request(d->o, d->id, type, json ? data : NULL, (size_t)len);
	if (!obs_out_done(d->o))
		return obs_refuse(d, EMSGSIZE, "too long for one message to OBS");
	return obs_do_commit(d->m, obs_req_by_name(type), d->a, d->ref, d->until_ns);
}

/*
 * import_obs.c - what a configuration of XTouch-GW does to OBS, as bindings of the driver `obs`
 *
 * `$camera` and its like, which only game pads could have, are the PTZ target of that pad: it has
 * the pad's name. A selectCamera of a pad asks the same target whether its modifier is held.
 */
#include <stdlib.h>
#include <string.h>

#include "procs/config/import_int.h"

#define DRIVER "obs"

bool
import_is_obs(const struct node *step)
{
	const char *app = node_text(step, "app");
	return app && !strcmp(app, "obs") && node_text(step, "action");
}

/* Parameter n of an action, NULL if there is none. */
static const char *
param(const struct node *step, uint32_t n)
{
	const struct node *list = node_get(step, "params");
	if (!list || list->kind != NODE_LIST || n >= list->count ||
	    list->item[n]->kind != NODE_TEXT)
		return NULL;
	return list->item[n]->text;
}

static const char *
quoted(struct import *im, const char *s)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return "";
	import_quoted(f, s);
	fclose(f);
	const char *copy = arena_print(im->arena, "%s", text);
	free(text);
	return copy;
}

/* A camera, or what stands for that of a pad. NULL: it is told by scene and source. */
static const char *
camera_of(struct import *im, const struct node *step, unsigned pad)
{
	const char *id = param(step, 0);
	const struct node *cameras = node_get(node_get(im->obs, "camera_control"), "cameras");
	if (id && pad && !strncmp(id, "$camera", 7))
		return arena_print(im->arena, "pad%u", pad);
	for (uint32_t k = 0; id && cameras && cameras->kind == NODE_LIST && k < cameras->count;
	     k++) {
		const char *name = node_text(cameras->item[k], "id");
		if (name && !strcmp(name, id))
			return name;
	}
	return NULL;
}

/* ------------------------------------------------------------------ actions */

/* The same words in the same order, under another name. */
static const struct {
	const char *theirs, *ours, *first; /* first: an argument of ours before theirs */
} plain[] = {
	{"TriggerStudioModeTransition", "transition", NULL},
	{"toggleStudioMode", "studio-mode", "toggle"},
	{"enterSplit", "split", "enter"},
	{"exitSplit", "split", "exit"},
	{"toggleSplit", "split", "toggle"},
	{"resetPosition", "reset-position", NULL},
	{"resetZoom", "reset-zoom", NULL},
	{"nudgeX", "nudge-x", NULL},
	{"nudgeY", "nudge-y", NULL},
	{"scaleUniform", "scale", NULL},
	{"changeScene", "scene", NULL},
	{"setScene", "scene", NULL},
	{"selectCamera", "camera", NULL},
};

static const char *
args_list(struct import *im, const struct node *step, unsigned pad, const char *first)
{
	const char *list = first ? first : "";
	for (uint32_t k = 0; param(step, k); k++) {
		const char *camera = k ? NULL : camera_of(im, step, pad);
		list = arena_print(im->arena, "%s%s%s", list, *list ? ", " : "",
				   quoted(im, camera ? camera : param(step, k)));
	}
	return *list ? arena_print(im->arena, "[%s]", list) : "";
}

bool
import_obs_action(struct import *im, const struct node *step, unsigned pad, const char **name,
		  const char **args, const char **why)
{
	const char *action = node_text(step, "action"), *first = param(step, 0);
	size_t k = 0;
	while (k < BH_ARRAY_LEN(plain) && strcmp(plain[k].theirs, action))
		k++;
	*why = "OBS had no such action there";
	if (k == BH_ARRAY_LEN(plain))
		return false;
	bool chooses = !strcmp(plain[k].ours, "scene"),
	     is_camera = first && !strncmp(first, "$camera", 7);
	*why = "$camera has a meaning on a game pad only";
	if (is_camera && !pad)
		return false;
	*name = arena_print(im->arena, DRIVER "/%s",
			    chooses && is_camera ? "camera" : plain[k].ours);
	*args = args_list(im, step, pad, plain[k].first);
	/* Without a target a pad's own modifier says which. */
	if (pad && !strcmp(plain[k].ours, "camera") && !param(step, 1))
		*args = arena_print(im->arena, "[%s, pad%u]", quoted(im, first ? first : ""), pad);
	im->uses_obs = true;
	return true;
}

const char *
import_obs_held(struct import *im, const struct node *map, unsigned pad)
{
	if (!pad || strcmp(node_text(map, "action"), "setPtzModifier"))
		return NULL;
	im->uses_obs = true;
	return arena_print(im->arena, DRIVER "/ptz/pad%u/modifier", pad);
}

/* ------------------------------------------------------------------ knobs and sticks */

const char *
import_obs_motion(struct import *im, const struct node *map, const struct found *f,
		  const char **why)
{
	static const struct {
		const char *theirs, *camera, *item, *step;
		double unit; /* of their step in ours */
	} motion[] = {{"nudgeX", "x", "x", "2", 1},
		      {"nudgeY", "y", "y", "2", 1},
		      {"scaleUniform", "zoom", "scale", "0.02", 100}};
	const char *action = node_text(map, "action"), *camera = camera_of(im, map, f->pad), *step;
	size_t k = 0;
	while (k < BH_ARRAY_LEN(motion) && strcmp(motion[k].theirs, action))
		k++;
	*why = "this needs a key: a knob, a fader or a stick cannot do it";
	if (k == BH_ARRAY_LEN(motion) || (f->v->wire != WIRE_RELATIVE && f->v->wire != WIRE_AXIS))
		return NULL;
	*why = "name a camera for it under obs.cameras: only cameras are moved by sticks";
	const char *whose =
		f->pad && camera && !strncmp(param(map, 0), "$camera", 7) ? "ptz" : "camera";
	if (f->v->wire == WIRE_AXIS && !camera)
		return NULL;
	im->uses_obs = true;
	if (f->v->wire == WIRE_AXIS)
		return arena_print(im->arena, "value: " DRIVER "/%s/%s/move-%s", whose, camera,
				   motion[k].camera);
	step = param(map, camera ? 1 : 2);
	double size = strtod(step ? step : motion[k].step, NULL);
	if (camera)
		return arena_print(im->arena, "relative: " DRIVER "/%s/%s/%s, step: %g, accel: yes",
				   whose, camera, motion[k].camera, size * motion[k].unit);
	*why = "it names neither a camera nor a scene and a source";
	if (!param(map, 0) || !param(map, 1))
		return NULL;
	return arena_print(im->arena, "relative: %s, step: %g, accel: yes",
			   quoted(im, arena_print(im->arena, DRIVER "/scene/%s/item/%s/%s",
						  param(map, 0), param(map, 1), motion[k].item)),
			   size * motion[k].unit);
}

/* ------------------------------------------------------------------ indicators */

const char *
import_obs_light(struct import *im, const struct node *indicator)
{
	static const struct {
		const char *theirs, *ours;
	} signals[] = {{"obs.studioMode", "studio-mode"},
		       {"obs.selectedScene", "selected"},
		       {"obs.currentProgramScene", "program"},
		       {"obs.currentPreviewScene", "preview"}};
	const char *signal = node_text(indicator, "signal"),
		   *equals = node_text(indicator, "equals"),
		   *truthy = node_text(indicator, "truthy");
	const struct node *in = node_get(indicator, "in");
	size_t k = 0;
	while (k < BH_ARRAY_LEN(signals) && (!signal || strcmp(signals[k].theirs, signal)))
		k++;
	if (k == BH_ARRAY_LEN(signals))
		return NULL;
	im->uses_obs = true;
	if (k == 0) {
		bool no = (equals && !strcmp(equals, "false")) ||
			  (truthy && !strcmp(truthy, "false"));
		return no ? "not " DRIVER "/studio-mode" : DRIVER "/studio-mode";
	}
	if (equals)
		return quoted(im,
			      arena_print(im->arena, DRIVER "/%s == %s", signals[k].ours, equals));
	const char *list = "";
	for (uint32_t n = 0; in && in->kind == NODE_LIST && n < in->count; n++)
		if (in->item[n]->kind == NODE_TEXT)
			list = arena_print(
				im->arena, "%s%s{ when: %s }", list, *list ? ", " : "",
				quoted(im, arena_print(im->arena, DRIVER "/%s == %s",
						       signals[k].ours, in->item[n]->text)));
	return *list ? arena_print(im->arena, "[%s]", list) : NULL;
}

/* ------------------------------------------------------------------ the driver */

static void
put_text(struct import *im, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	fprintf(im->out, "    %s: ", key);
	import_quoted(im->out, value);
	fputc('\n', im->out);
}

static void
put_cameras(struct import *im, const struct node *control)
{
	const struct node *cameras = node_get(control, "cameras"),
			  *splits = node_get(control, "splits");
	bool any = cameras && cameras->kind == NODE_LIST && cameras->count;
	if (any)
		fputs("    cameras:\n", im->out);
	for (uint32_t k = 0; any && k < cameras->count; k++) {
		const struct node *c = cameras->item[k];
		const char *ptz = node_text(c, "enable_ptz"), *split = node_text(c, "split_source");
		const char *id = node_text(c, "id"), *scene = node_text(c, "scene"),
			   *source = node_text(c, "source");
		fprintf(im->out, "      - { id: %s, scene: %s, source: %s",
			quoted(im, id ? id : ""), quoted(im, scene ? scene : ""),
			quoted(im, source ? source : ""));
		if (split && *split)
			fprintf(im->out, ", split_source: %s", quoted(im, split));
		fprintf(im->out, "%s }\n", ptz && !strcmp(ptz, "false") ? ", ptz: no" : "");
	}
	put_text(im, "split_left", node_text(splits, "left"));
	put_text(im, "split_right", node_text(splits, "right"));
	put_text(im, "default_camera", node_text(control, "default_camera"));
}

/* A game pad's gains: accepted there and never used. */
static void
put_ptz(struct import *im)
{
	const struct node *pads = node_get(node_get(im->root, "gamepad"), "gamepads");
	if (im->pads)
		fputs("    ptz:\n", im->out);
	for (unsigned k = 0; k < im->pads; k++) {
		const struct node *pad = pads && pads->kind == NODE_LIST && k < pads->count
						 ? pads->item[k]
						 : node_get(im->root, "gamepad");
		const struct node *analog = node_get(pad, "analog");
		const char *camera = node_text(pad, "camera_target"),
			   *pan = node_text(analog, "pan_gain"),
			   *zoom = node_text(analog, "zoom_gain");
		fprintf(im->out, "      - { name: pad%u", k + 1);
		if (camera && strcmp(camera, "dynamic"))
			fprintf(im->out, ", camera: %s", quoted(im, camera));
		if (pan)
			fprintf(im->out, ", pan_gain: %g", strtod(pan, NULL));
		if (zoom)
			fprintf(im->out, ", zoom_gain: %g", strtod(zoom, NULL));
		fputs(" }\n", im->out);
	}
}

void
import_obs_driver(struct import *im)
{
	const char *port = node_text(im->obs, "port"), *host = node_text(im->obs, "host");
	if (!im->obs && !im->uses_obs)
		return;
	fputs("  " DRIVER ":\n    kind: obs\n", im->out);
	put_text(im, "host", host && !strcmp(host, "localhost") ? "127.0.0.1" : host);
	if (port)
		fprintf(im->out, "    port: %lu\n", strtoul(port, NULL, 10));
	put_text(im, "password", node_text(im->obs, "password"));
	put_cameras(im, node_get(im->obs, "camera_control"));
	put_ptz(im);
}

/* import_pad.c - the game pads of XTouch-GW as surfaces pad1, pad2 ... of ours */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/config/import_int.h"

static const struct vocab button = {.theirs = "btn", .ours = "", .wire = WIRE_NOTE};
static const struct vocab axis = {.theirs = "axis", .ours = "", .wire = WIRE_AXIS};

/* As both have them, but for the names of axes. */
static bool
is_one_of(const char *name, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(name, *words))
			return true;
	return false;
}

void
import_pads_count(struct import *im)
{
	const struct node *pad = node_get(im->root, "gamepad"), *list = node_get(pad, "gamepads");
	const char *enabled = node_text(pad, "enabled");
	if (!pad || (enabled && !strcmp(enabled, "false")))
		return;
	im->pads = list && list->kind == NODE_LIST && list->count ? list->count : 1;
}

bool
import_pad_control(struct import *im, const char *id, struct found *f)
{
	static const char *const buttons[] = {"a",    "b",     "x",    "y",       "lb",
					      "rb",   "lt",    "rt",   "l3",      "r3",
					      "plus", "minus", "home", "capture", NULL};
	static const char *const ways[] = {"up", "down", "left", "right", NULL}, *const axes[] = {
											 "lx", "ly",
											 "rx", "ry",
											 "zl", "zr",
											 NULL};
	char *end = NULL;
	if (strncmp(id, "gamepad", 7))
		return false;
	unsigned long n = id[7] == '.' ? 1 : strtoul(id + 7, &end, 10);
	const char *rest = id[7] == '.' ? id + 8 : end && *end == '.' ? end + 1 : "";
	const char *name = strchr(rest, '.');
	if (!name || n < 1 || n > im->pads)
		return false;
	name++;
	*f = (struct found){.pad = (unsigned)n, .v = &button};
	if (!strncmp(rest, "btn.", 4)    ? !is_one_of(name, buttons)
	    : !strncmp(rest, "dpad.", 5) ? !is_one_of(name, ways)
					 : true)
		f->v = !strncmp(rest, "axis.", 5) && is_one_of(name, axes) ? &axis : NULL;
	if (!f->v)
		return false;
	snprintf(f->ours, sizeof(f->ours), "pad%u/%s%s", f->pad, f->v == &axis ? "axis_" : "",
		 name);
	return true;
}

static void
put_pad(struct import *im, unsigned n, const struct node *pad, const char *match)
{
	static const char *const sticks[] = {"lx", "ly", "rx", "ry", "zl", "zr", NULL};
	const struct node *analog = node_get(pad, "analog"), *invert = node_get(analog, "invert");
	const char *deadzone = node_text(analog, "deadzone"), *gamma = node_text(analog, "gamma");
	fprintf(im->out, "  pad%u: { device: gamepad, kind: pad", n);
	if (match && *match) {
		fputs(", match: ", im->out);
		import_quoted(im->out, match);
	}
	if (deadzone)
		fprintf(im->out, ", deadzone: %g", strtod(deadzone, NULL));
	if (gamma)
		fprintf(im->out, ", gamma: %g", strtod(gamma, NULL));
	for (unsigned k = 0; sticks[k]; k++) {
		const char *yes = node_text(invert, sticks[k]);
		if (yes && !strcmp(yes, "true"))
			fprintf(im->out, ", invert_%s: yes", sticks[k]);
	}
	fputs(" }\n", im->out);
}

void
import_pads_surfaces(struct import *im)
{
	const struct node *pad = node_get(im->root, "gamepad"), *list = node_get(pad, "gamepads");
	for (unsigned k = 0; k < im->pads; k++) {
		if (list && list->kind == NODE_LIST && k < list->count)
			put_pad(im, k + 1, list->item[k],
				node_text(list->item[k], "product_match"));
		else
			put_pad(im, k + 1, pad, node_text(node_get(pad, "hid"), "product_match"));
	}
}

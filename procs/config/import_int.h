/* import_int.h - what the files of the converter share: import.c (surface, MIDI, pages), import_obs.c, import_pad.c */
#pragma once

#include "common/mem.h"
#include "procs/config/import.h"
#include "procs/config/tree.h"

enum wire { WIRE_NONE, WIRE_PB, WIRE_CC, WIRE_NOTE, WIRE_RELATIVE, WIRE_AXIS };

/* A control of theirs; "#" stands for 1 to 8. `number`: what the hardware sends in MCU mode, of number 1. */
struct vocab {
	const char *theirs, *ours;
	enum wire wire;
	uint8_t number;
};

/* A control as it was found: the row, and which of eight. */
struct found {
	const struct vocab *v;
	unsigned n; /* 1 to 8; 0 = there is one only */
	unsigned pad; /* from 1: it is on that game pad; 0 = on the desk */
	char ours[40];
};

#define IMPORT_STRIPS 8u

/* What an application is told: a message with a place for its value. */
struct address {
	enum wire wire;
	unsigned channel, number; /* channel 1 to 16 */
	bool is_switch; /* of a note or controller: a button's, so that it is on or off */
};

struct param {
	struct address at;
	char name[40];
};

struct app {
	const char *theirs, *name; /* in midi.apps; of our driver */
	const struct node *place;
	const char *to, *from; /* patterns of port names, NULL = not written */
	struct param *param;
	uint32_t params;
};

struct import {
	struct arena *arena;
	struct report *report;
	FILE *out, *notes;
	const char *indent; /* before a comment */
	struct import_result *result;
	const struct node *root, *pages, *global;
	struct app *app;
	uint32_t apps;
	unsigned prev_note, next_note;
	bool (*bound)[IMPORT_STRIPS + 1]; /* on the page at hand, by row of the vocabulary and number */
	unsigned pads; /* surfaces pad1, pad2 ... */
	const struct node *obs; /* their section, NULL = none; then `uses_obs` still may be */
	bool uses_obs;
};

/* Something that has no counterpart: into the notes, and as a comment into the file. */
void import_note(struct import *im, const struct node *n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* As a YAML text in double quotes. */
void import_quoted(FILE *out, const char *s);
/* What an action was, in one line, for a comment. */
const char *import_in_words(struct import *im, const struct node *step);

/* --- import_obs.c */
bool import_is_obs(const struct node *step); /* an action of theirs on OBS */
/* "obs/scene" and its arguments as a YAML list ("[\"Cam 1\", program]", "" = none). False: it has no counterpart; `*why` says why. */
bool import_obs_action(struct import *im, const struct node *step, unsigned pad, const char **name, const char **args, const char **why);
/* What a key sets while it is held, "obs/ptz/pad1/modifier"; NULL: it is an action. */
const char *import_obs_held(struct import *im, const struct node *map, unsigned pad);
/* What a knob or a stick that moves a camera becomes: the rest of a binding, "relative: obs/camera/main/x, step: 2"; NULL with `*why`. */
const char *import_obs_motion(struct import *im, const struct node *map, const struct found *f, const char **why);
/* Their indicator as one of our conditions, or as a list of lights: what stands behind `light:`. NULL: it has no counterpart. */
const char *import_obs_light(struct import *im, const struct node *indicator);
void import_obs_driver(struct import *im);

/* --- import_pad.c */
void import_pads_count(struct import *im);
void import_pads_surfaces(struct import *im);
/* "gamepad1.btn.a": false = no control of a pad. */
bool import_pad_control(struct import *im, const char *id, struct found *f);

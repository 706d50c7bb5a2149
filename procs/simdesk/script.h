/*
 * script - the language in which a desk is played, as a tree of statements
 *
 * In:    text, in UTF-8
 * Out:   a tree, or all the errors in it, each as "name:line:col: what; did you mean "x"?"
 * Fails: text that is wrong gives errors and no tree; nothing of it is run.
 *
 * The words of the language are rows of tables, which are also its help: script_help() prints them, and
 * docs/reference/simdesk.md has them (a test compares).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/midi/mcu.h"

enum script_op {
	SCRIPT_AT,
	SCRIPT_WAIT, /* dur_ns, or what */
	SCRIPT_TOUCH,
	SCRIPT_RELEASE, /* fader (index), or button (note) if note >= 0 */
	SCRIPT_MOVE,
	SCRIPT_PRESS,
	SCRIPT_TAP,
	SCRIPT_TURN,
	SCRIPT_JOG,
	SCRIPT_PEDAL,
	SCRIPT_EXPECT,
	SCRIPT_MARK,
	SCRIPT_UNPLUG,
	SCRIPT_PLUG,
	SCRIPT_LIMIT,
	SCRIPT_SPLIT,
	SCRIPT_SENSING,
	SCRIPT_SEND,
	SCRIPT_GARBAGE,
	SCRIPT_LOAD,
	SCRIPT_REPEAT,
	SCRIPT_SET,
	SCRIPT_PRINT,
	SCRIPT_STATE,
	SCRIPT_TARGETS,
	SCRIPT_END_STATE,
	SCRIPT_QUIT,
};

enum script_cond {
	SCRIPT_C_FADER,
	SCRIPT_C_TARGET,
	SCRIPT_C_LED,
	SCRIPT_C_RING,
	SCRIPT_C_STRIP,
	SCRIPT_C_DIGITS,
	SCRIPT_C_METER,
	SCRIPT_C_PEER,
	SCRIPT_C_QUIET,
	SCRIPT_C_HANDS,  /* no hand is busy */
	SCRIPT_C_MOTORS, /* no motor runs, none is about to */
	SCRIPT_C_COUNT,
};

enum script_cmp { SCRIPT_EQ, SCRIPT_NE, SCRIPT_LT, SCRIPT_LE, SCRIPT_GT, SCRIPT_GE };

enum script_setting {
	SCRIPT_S_THROW,
	SCRIPT_S_SETTLE,
	SCRIPT_S_RETURN,
	SCRIPT_S_REPORT,
	SCRIPT_S_ANSWERS,
	SCRIPT_S_JUMP,
	SCRIPT_S_WITHIN,
	SCRIPT_S_TRAVEL,
};

/* A control in a list: a fader, V-Pot, the jog wheel or a button. */
struct script_control {
	enum { SCRIPT_ON_FADER, SCRIPT_ON_VPOT, SCRIPT_ON_JOG, SCRIPT_ON_BUTTON } kind;
	uint8_t index; /* fader, V-Pot; the note of a button */
};

struct script_block {
	struct script_stmt *stmt; /* owned */
	size_t n;
};

struct script_stmt {
	enum script_op op;
	int line, col;
	size_t source, source_len; /* in the script's text */
	int index; /* fader, V-Pot, strip, from 0; setting; count */
	int note;  /* button, light; -1 = none */
	int64_t number;
	uint16_t pos, tol;
	uint64_t dur_ns, within_ns, for_ns, seed;
	double rate;
	bool flag;       /* touching, on, fresh, since mark */
	bool no_wait;    /* & */
	bool has_within;
	enum script_cond cond;
	enum script_cmp cmp;
	int led;
	struct {
		int mode; /* -1 = dark */
		bool extra;
	} ring;
	int line_no; /* of a strip: 0 upper, 1 lower, 2 colour; of digits: 0 time code, 1 assignment; of a meter: 1 overload */
	char *text;  /* owned */
	uint8_t *bytes; /* owned */
	size_t n_bytes;
	struct script_control *controls; /* owned */
	size_t n_controls;
	struct script_block body;
};

struct script {
	char *name; /* owned */
	char *text; /* owned */
	struct script_block top;
};

/*
 * Parse text (len bytes). On success *out is a script (caller frees), 0. Else -EINVAL and *errors is text, a line for each
 * error (caller frees); or -ENOMEM.
 */
int script_parse(const char *name, const char *text, size_t len, struct script **out, char **errors);
void script_free(struct script *s); /* NULL is fine */

/* The whole language, from the tables. */
void script_help(FILE *to);
/* Rows of the tables, one after the other, for whoever compares; NULL after the last. */
const char *script_help_row(unsigned row, const char **help);

/* The controls that random-load uses when nobody says which. */
size_t script_default_controls(const struct script_control **list);
/* "fader1", "vpot2", "jog", "mute3" */
bool script_control_by_name(const char *name, struct script_control *c);

/*
 * ctl.h - what the verbs of `bulkhead` share
 *
 * One row a verb (verbs.c) says its arguments, options and help; usage, completion and the man page's part come from it. A
 * verb is one function in verb_<name>.c. It asks bh-control (client.h), or reads shared memory itself (direct.h), and
 * shows the answer through a writer: text for people, JSON for programs.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "common/wire/request.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,	     /* it was tried and did not work */
	CTL_USAGE = 2,	     /* used wrongly: no such verb, name or value */
	CTL_DEGRADED = 3,
	CTL_NOT_RUNNING = 4,
	CTL_BAD_CONFIG = 5,
};

enum ctl_option {
	CTL_OPT_JSON = 1, CTL_OPT_RUNTIME = 2, CTL_OPT_HELP = 4, /* everywhere (json: where it reads) */
	CTL_OPT_CONFIG = 8, CTL_OPT_SIGNAL = 16, CTL_OPT_ALL = 32, CTL_OPT_LAST = 64, CTL_OPT_ONCE = 128, CTL_OPT_AS = 256,
	CTL_OPT_TIMEOUT = 512, CTL_OPT_SURFACE = 1024, CTL_OPT_SECRETS = 2048, CTL_OPT_AGAINST = 4096, CTL_OPT_PROFILE = 8192,
	CTL_OPT_WATCH = 16384, CTL_OPT_BATCH = 32768, CTL_OPT_RESET = 65536, CTL_OPT_SHOW = 131072, CTL_OPT_OUTPUT = 262144,
	CTL_OPT_FORCE = 524288, CTL_OPT_PORTS = 1048576, CTL_OPT_UPGRADE = 2097152, CTL_OPT_SECURITY = 1 << 30,
};

struct ctl_option_row {
	enum ctl_option bit;
	const char *name; /* long, without the dashes */
	char letter;	  /* 0 = none */
	const char *arg;  /* NULL = takes none */
	const char *help;
};
extern const struct ctl_option_row ctl_options[];
extern const size_t ctl_option_count;

struct ctl_writer;

struct ctl {
	bool json, all, once, secrets, batch, reset, show, force, upgrade, security;
	const char *config, *signal, *as, *surface, *against, *profile; /* borrowed from argv */
	long last;			  /* -1 = not said */
	double timeout;			  /* seconds; -1 = not said */
	long watch_ms;			  /* -1 = not said */
	const char *output, *ports;	  /* borrowed from argv */
	const struct ctl_writer *out;
	const struct ctl_verb *verb;
};

struct ctl_verb {
	const char *name;
	const char *args;  /* as in the usage: "[NAME]" */
	int min, max;	   /* how many; -1 = any number */
	unsigned options;  /* besides RUNTIME and HELP */
	const char *complete; /* what its first argument is: a kind of `names`, "file", or words; NULL = nothing */
	const char *group;
	const char *help;  /* one line */
	const char *more;  /* for the man page, plain paragraphs; may be NULL */
	int (*run)(struct ctl *ctl, int argc, char **argv); /* exit code */
};
extern const struct ctl_verb ctl_verbs[];
extern const size_t ctl_verb_count;
const struct ctl_verb *ctl_find_verb(const char *name);

/* Words of a command line -> ctl, verb and its arguments (`rest`, room for argc). 0, or the exit code after saying why. */
int ctl_parse(struct ctl *ctl, int argc, char **argv, char **rest, int *nrest);

int verb_run(struct ctl *ctl, int argc, char **argv);
int verb_check(struct ctl *ctl, int argc, char **argv);
int verb_status(struct ctl *ctl, int argc, char **argv);
int verb_monitor(struct ctl *ctl, int argc, char **argv);
int verb_trace(struct ctl *ctl, int argc, char **argv);
int verb_start(struct ctl *ctl, int argc, char **argv);
int verb_stop(struct ctl *ctl, int argc, char **argv);
int verb_restart(struct ctl *ctl, int argc, char **argv);
int verb_hold(struct ctl *ctl, int argc, char **argv);
int verb_release(struct ctl *ctl, int argc, char **argv);
int verb_kill(struct ctl *ctl, int argc, char **argv);
int verb_reload(struct ctl *ctl, int argc, char **argv);
int verb_config(struct ctl *ctl, int argc, char **argv);
int verb_profile(struct ctl *ctl, int argc, char **argv);
int verb_pages(struct ctl *ctl, int argc, char **argv);
int verb_page(struct ctl *ctl, int argc, char **argv);
int verb_params(struct ctl *ctl, int argc, char **argv);
int verb_get(struct ctl *ctl, int argc, char **argv);
int verb_set(struct ctl *ctl, int argc, char **argv);
int verb_do(struct ctl *ctl, int argc, char **argv);
int verb_press(struct ctl *ctl, int argc, char **argv);
int verb_move(struct ctl *ctl, int argc, char **argv);
int verb_turn(struct ctl *ctl, int argc, char **argv);
int verb_learn(struct ctl *ctl, int argc, char **argv);
int verb_latency(struct ctl *ctl, int argc, char **argv);
int verb_explain(struct ctl *ctl, int argc, char **argv);
int verb_import(struct ctl *ctl, int argc, char **argv);
int verb_emit(struct ctl *ctl, int argc, char **argv);
int verb_sync(struct ctl *ctl, int argc, char **argv);
int verb_calibrate(struct ctl *ctl, int argc, char **argv);
int verb_setup(struct ctl *ctl, int argc, char **argv);
int verb_doctor(struct ctl *ctl, int argc, char **argv);
int verb_names(struct ctl *ctl, int argc, char **argv);
int verb_version(struct ctl *ctl, int argc, char **argv);
int verb_help(struct ctl *ctl, int argc, char **argv);

/* Help, generated from the table. */
void ctl_usage(FILE *out);
void ctl_verb_usage(FILE *out, const struct ctl_verb *verb);
/* "bash", "zsh", "fish": the whole file; "scd": the VERBS and OPTIONS of the man page. 0 or CTL_USAGE. */
int ctl_print_as(FILE *out, const char *what);

/* Small words: pure, tested alone. */
/* "0.5", "50%" -> 0..1; "-inf" and the like are none. 0 or -EINVAL. */
int ctl_parse_position(const char *text, double *out);
int ctl_parse_seconds(const char *text, double *out); /* "30", "0.5", "2s", "300ms" */
int ctl_parse_int(const char *text, long min, long max, long *out);
/* "KILL", "SIGKILL", "9" -> 9; -EINVAL. */
int ctl_parse_signal(const char *text);
/*
 * Words of hexadecimal digits ("90", "0x90", "907f01", "90h") as bytes: how many, or -EINVAL with the word in *wrong; -E2BIG when they
 * are more than cap.
 */
int ctl_parse_hex(int argc, char **argv, uint8_t *out, size_t cap, const char **wrong);
/* "down" "press" 1, "up" "release" 0, "both" 2, or a number. -EINVAL. */
int ctl_parse_press(const char *text);
/* Seconds in two words at most: "3 min 2 s". */
void ctl_duration(double seconds, char *out, size_t cap);

/* Show an error of the protocol by the writer; returns the exit code that belongs to it. */
int ctl_show_error(struct ctl *ctl, const struct bh_wire_error *err);
/* printf-style, in the shape of an error with this code and hint (may be NULL). */
int ctl_error(struct ctl *ctl, const char *code, const char *hint, const char *text, ...) __attribute__((format(printf, 4, 5)));

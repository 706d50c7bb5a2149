/*
 * pipeline.h - the whole pipeline under test, started as a user starts it, and looked into as a third process
 *
 * `bulkhead run` on a configuration given as text, in a folder of its own. Segments are found by the names of the memfds that
 * keeper and supervisor hold, and are mapped read-only. Waiting is polling for a state with a deadline.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/records.h"
#include "common/mem.h"
#include "common/units.h"
#include "shm/dir.h"
#include "shm/latch.h"
#include "shm/outbox.h"
#include "shm/seg.h"
#include "tests/lib/patience.h"

/*
 * For the configuration of each test that is not about these limits: what is late only because the machine is busy is not late. The
 * tool's waits are lengthened by its environment.
 */
#define PIPELINE_PATIENT "control: {request_timeout: 60s, reload_timeout: 120s}\n"
#define PIPELINE_PATIENT_DRIVER "max_age_ms: 60s"
#define PIPELINE_PATIENT_PRESSES "press_age: 10s" /* of the router */
#define PIPELINE_PATIENT_ECHOES "echo_window: 10s" /* of the router: a driver that stands still between two reports does not insist on the first */

struct pipeline_map {
	char name[40];
	uint32_t epoch;
	struct bh_seg seg;
};

struct pipeline {
	char dir[64];	 /* runtime and state folders, configuration, log */
	pid_t pid;	 /* what we started: the first keeper */
	struct bh_seg table;
	struct pipeline_map map[64];
	unsigned maps;
	int guard_fd; /* owned while it runs: when its other end reads the end of file, the guard ends what is left */
};

/* Folders and configuration file only. The text may contain "@DIR@" for the folder. */
void pipeline_prepare(struct pipeline *p, const char *yaml);
/* Write the configuration file anew, for a reload or the next start. */
void pipeline_config(struct pipeline *p, const char *yaml);
/*
 * Start on what was prepared; waits until the process table is there. A guard kills it when we die without having stopped it,
 * by a failed assertion or a time-out; the folder goes with the program, but see scratch.h.
 */
void pipeline_run(struct pipeline *p);
/* Both, and waits until each process of the configuration is ok. */
void pipeline_start(struct pipeline *p, const char *yaml);
/* Ends it cleanly (SIGTERM to the keeper), by force after 10 s; unmaps; the folder stays until pipeline_clean(). */
void pipeline_stop(struct pipeline *p);
/* Kills everything at once, as a power cut does. */
void pipeline_crash(struct pipeline *p);
void pipeline_clean(struct pipeline *p);

/* Process table. `name` "supervisor" and "keeper" work for pids too. 0 / -1 if there is none. */
bool pipeline_body(struct pipeline *p, const char *name, struct bh_proc_body *body);
pid_t pipeline_pid(struct pipeline *p, const char *name);
bool pipeline_is_ok(struct pipeline *p, const char *name);
bool pipeline_all_ok(struct pipeline *p);
/* The segment of this memfd name, mapped read-only (kept; mapped anew when it was replaced), or NULL. */
const struct bh_seg *pipeline_seg(struct pipeline *p, const char *memfd);
/* Map it anew the next time: it may have been replaced. */
void pipeline_forget(struct pipeline *p, const char *memfd);
const struct bh_self *pipeline_self(struct pipeline *p, const char *name);

/* The record of a parameter that the driver has. */
bool pipeline_param(struct pipeline *p, const char *drv, const char *param, struct bh_dir_record *r);
/* What driver `drv` reported for a parameter, and what the router wants: 1 and the cell. */
int pipeline_reported(struct pipeline *p, const char *drv, const char *param, struct bh_cell_body *c);
int pipeline_wanted(struct pipeline *p, const char *drv, const char *param, struct bh_cell_body *c);
/* Has the driver what the router wants, or was nothing ever wanted? */
bool pipeline_settled(struct pipeline *p, const char *drv, const char *param);
/* Reported number of a parameter (FLOAT, INT, BOOL, ENUM); NAN if none. */
double pipeline_number(struct pipeline *p, const char *drv, const char *param);

/* Run a program of the build's bin/ with arguments (NULL-terminated), its output into `out`; returns its exit status. */
int pipeline_tool(struct pipeline *p, char *out, size_t cap, const char *program, ...);
/* The end of the log. */
const char *pipeline_log_text(struct pipeline *p);
/* For the message of a failure: writes the end of the log and the last events to stderr, as check takes no long messages, and says so. */
const char *pipeline_log(struct pipeline *p);

/* Poll cond until it holds or ms have passed, but see patience.h. */
#define pipeline_until(ms, cond)                                                                   \
	({                                                                                         \
		uint64_t until_ = bh_mono_ns() + patience_ms(ms) * BH_NS_PER_MS;                   \
		bool ok_;                                                                          \
		while (!(ok_ = (cond)) && bh_mono_ns() < until_)                                   \
			usleep(300);                                                               \
		ok_;                                                                               \
	})

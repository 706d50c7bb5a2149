/*
 * fleet.h - a whole pipeline of stand-ins under the real keeper and supervisor, for tests
 *
 * Each fleet has a runtime folder of its own. What happens is read from the process table, as the tool reads it: out of
 * /proc of the keeper or the supervisor. Waiting is polling with a deadline.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shm/latch.h"
#include "shm/seg.h"
#include "tests/lib/child.h"
#include "tests/lib/patience.h"

struct fleet {
	char dir[64], config[96];
	char notify[96]; /* socket that stands in for systemd's; empty = none */
	pid_t started; /* the keeper that we started */
	struct bh_seg table;
	const struct bh_table_head *head;
	const struct bh_proc_entry *entries;
	int sock; /* to child.c as bh-control */
	uint32_t asked;
};

/* Poll `cond` for at most `ms`, but see patience.h; fails the test at this line if it does not come true. */
#define fleet_wait(ms, cond)                                                                       \
	do {                                                                                       \
		uint64_t until_ = fleet_now_ms() + patience_ms(ms);                                \
		bool came_;                                                                        \
		while (!(came_ = (cond)) && fleet_now_ms() < until_)                               \
			fleet_pause();                                                             \
		ck_assert_msg(came_, "did not come true in time: %s", #cond);                      \
	} while (0)

uint64_t fleet_now_ms(void);
void fleet_pause(void);

/* A folder and its configuration; fleet_start() starts the keeper and waits for the table and for `router` to be ok. */
void fleet_init(struct fleet *f, const char *config);
void fleet_write(struct fleet *f, const char *config);
pid_t fleet_launch(struct fleet *f, int err_fd);
void fleet_start(struct fleet *f, const char *config);
/* Of one that was launched: has its supervisor a table by now? Looks anew each time. */
bool fleet_is_there(struct fleet *f);
/* Exit status of the keeper that we started; fails the test if it does not end. */
int fleet_exit(struct fleet *f);
/* End everything that may be left, and the folder. */
void fleet_end(struct fleet *f);

/* By the pid file; 0 if it is not there. */
pid_t fleet_keeper(struct fleet *f);
pid_t fleet_supervisor(struct fleet *f);

/* The entry of a process; role NONE if there is none of that name. */
struct bh_proc_body fleet_proc(struct fleet *f, const char *name);
uint32_t fleet_health(struct fleet *f, const char *name);
pid_t fleet_pid(struct fleet *f, const char *name);
bool fleet_is_ok(struct fleet *f, const char *name);
bool fleet_all_ok(struct fleet *f);
bool fleet_lives(pid_t pid);
/* Processes of the program bh-child in this fleet's runtime folder. */
unsigned fleet_count_children(struct fleet *f);
/* ... and of keeper, supervisor and bh-config, too. */
unsigned fleet_count_all(struct fleet *f);

/* A request, as bh-control would make it. Returns the error of the result; `text` (may be NULL) receives its text. */
int fleet_ask(struct fleet *f, enum bh_request what, const char *name, int64_t i, const char *arg, char *text, size_t cap);

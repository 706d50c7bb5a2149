/*
 * super.h - what the supervisor's files share: one struct for the whole, one for each slot
 *
 *   main.c    life of the supervisor: cold start, adoption, start and stop order, requests, signals
 *   config.c  runs bh-config; takes a configuration into use, or the one before again
 *   spawn.c   segments and descriptors of a slot, starting its process, telling its peers
 *   spare.c   processes that are started before they are needed
 *   upgrade.c a new program for a process that runs
 *   sched.c   real-time scheduling
 *   watch.c   deaths and hangs
 *   limits.c  memory, CPU and descriptors of drivers
 *   table.c   the process table, health, and what the next supervisor needs to know
 *   keep.c    the keeper: what it holds for us, and starting another when it dies
 *   filewatch.c notices that the configuration file is another one
 *   logfile.c the log of its own, and its rotation
 *
 * Everything here belongs to one thread. All times are CLOCK_MONOTONIC unless they stand in the process table.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/config/compiled.h"
#include "common/config/table.h"
#include "common/limits.h"
#include "common/loop.h"
#include "common/request.h"
#include "common/spawn.h"
#include "shm/latch.h"
#include "shm/outbox.h"
#include "shm/seg.h"
#include "supervisor/policy.h"
#include "supervisor/settle.h"

/* Our own options. */
struct super_config {
	uint32_t crash_limit, crash_window_ms, backoff_first_ms, backoff_max_ms, stop_ms, abort_ms;
	char *log_dir;
	uint64_t log_max_bytes, memory_max_bytes;
	uint32_t cpu_max, files_max;
	uint32_t log_keep;
	bool watch;
	uint32_t watch_delay_ms;
	bool spares;
	bool realtime;
	uint32_t realtime_limit_ms;
};
extern const struct bh_cfg_field super_fields[];

/* What survives the supervisor for each slot, besides the process table: in the scratch of its private segment. */
struct slot_memory {
	struct bh_policy policy;
	uint64_t died_ns;	   /* CLOCK_BOOTTIME of the death from which it has not recovered yet, 0 = none */
	uint64_t proven_generation;/* of the configuration with which it was ready */
	uint32_t peers_untold, peers_ungone; /* slots whose PEER or PEER_GONE it has not been sent yet */
	uint8_t config_unsent;	   /* it has not been sent the configuration in use */
	uint8_t removed;	   /* no longer in the configuration: vanishes once it has left */
	uint8_t lived;		   /* the next life is a successor */
	uint8_t limit;		   /* that it went over; enum bh_limit */
	uint8_t pad[4];
	struct bh_inflight inflight; /* what it was doing when it died last */
};

struct super_memory {
	uint64_t magic;
	uint8_t quitting; /* a clean end was asked for: its stage from 1 */
	uint8_t exit_code;
	uint8_t cold;	  /* the first start is not complete yet */
	uint8_t pad[5];
	uint64_t config_generation;
	/* Numbers of texts (common/config/text.h): in use, in use before, refused last; 0 = not known. */
	uint64_t text, text_before, text_refused;
	char path_before[256]; /* of the file that was in use before */
	struct slot_latch {
		uint64_t turn;
		struct slot_memory copy[2];
	} slot[BH_MAX_SLOTS];
};

/* Judging a hang: see watch.c. */
struct hang_watch {
	bool open;
	uint16_t by;	      /* the producer who says that work is owed; itself: its loop stands still */
	uint32_t busy_ms;     /* the call that it had declared */
	uint64_t mark;	      /* what had been consumed of that ring; the beat of its loop */
	uint64_t since_ns;    /* owed since, as far as we have seen it ourselves */
	uint64_t wait_ns, ran_ns; /* time spent waiting for a CPU and on one, then */
	uint64_t wait_mark_ns;/* the same, when we looked last at all */
	uint64_t excused_ns;  /* when we last saw that it could not work: what was owed before does not count */
	uint64_t look_ns;     /* when we look again; 0 = when we are told again */
};

/* Of its CPU time, when we looked last. */
struct usage {
	uint64_t at_ns, ran_ns;
	unsigned strikes;
};

/* Which file a program is. */
struct spare_file {
	uint64_t dev, ino, size, time_ns;
};

/* Of one program: the process that waits to become somebody, if there is one. */
struct spare {
	struct super *s;    /* borrowed */
	char binary[256];
	pid_t pid;	    /* 0 = there is none */
	uint64_t start_time;
	bool parked;	    /* ready to be told who it is */
	int sock, pidfd;    /* owned */
	struct bh_watch *pid_watch, *sock_watch;
	struct spare_file file; /* that it was started from */
	uint64_t since_ns;  /* parked, or else started */
	struct child *of;   /* it is to be this one's new program; NULL = anybody's */
	unsigned failures;  /* in a row */
	uint64_t next_ns;   /* not before that */
};

/* A new program for one process: see upgrade.c. */
struct upgrade {
	enum { UPGRADE_NONE, UPGRADE_PREPARING, UPGRADE_LEAVING, UPGRADE_PROVING } stage;
	struct spare next;
	int old;	     /* owned: the program that runs; -1 = none */
	struct spare_file bad; /* the one that failed; zero = not known */
	uint64_t until_ns;
	uint32_t request;    /* to be answered; 0 = was, or nobody asked */
};

struct child {
	struct super *s;      /* borrowed */
	uint16_t slot;
	bool used;
	struct bh_proc_body body; /* as it stands in the process table */
	struct slot_memory mem;
	char binary[256];
	uint32_t ring_slots, params, records, hang_ms, ready_ms;

	/* descriptors, owned; -1 = none; the keeper has copies */
	struct bh_seg_fds self, par, state, priv;
	struct bh_seg_fds out[BH_MAX_SLOTS]; /* its outboxes, by consumer */
	int bell_rd, bell_wr, device, options, options_before;
	int sock, pidfd;
	int program; /* started from this file, not from that of its name; -1 = no. The keeper has a copy */
	struct upgrade upgrade;

	/* our side of the rings with it */
	struct bh_seg self_map;
	const struct bh_self *shared; /* its self segment, read-only */
	struct bh_outbox tx;
	struct bh_inbox rx;
	bool has_tx, has_rx;

	struct bh_watch *pid_watch, *sock_watch;
	bool sock_blocked;    /* it does not read: the rest is sent once it does */
	bool waits;	      /* first start: for the router */
	bool told_stop;	      /* clean end: it was asked to leave */
	bool asked;	      /* reload: it has the new configuration and has not answered */
	bool took;	      /* reload: it has answered that it took it */
	enum bh_policy_event later; /* a wish that is carried out at later_ns, 0 = none */
	uint64_t later_ns;
	bool frozen;	      /* shown as `degraded: stopped` */
	uint32_t forwarded[4], forwarded_at; /* requests passed on to it that it may answer */
	uint32_t health_untold; /* slots whose health it has not been told */
	struct hang_watch hang;
	struct usage usage;
};

/* Why the configuration is read. */
enum config_why { CONFIG_FIRST, CONFIG_BY_REQUEST, CONFIG_BY_SIGNAL, CONFIG_BY_WATCH };

/* A run of bh-config. */
struct config_run {
	bool running;
	enum config_why why;
	pid_t pid;
	int pidfd, sock, err_fd;
	struct bh_watch *pid_watch, *sock_watch, *err_watch;
	struct bh_timer *timer;
	bool exited, err_eof, late;
	int status;
	int config, source, changes;
	int options[BH_MAX_SLOTS];
	uint64_t hash;	/* of the text that was read; 0 = it could not be read */
	bool unchanged; /* it is one that we did not want again */
	char path[256];
	char text[8192];
	size_t text_len;
};

/* Somebody wants a reload while another is under way. */
struct config_wish {
	bool used, by_request;
	uint32_t number;
	char path[256];
};

struct file_watch {
	int fd; /* owned, -1 = none; the keeper has a copy */
	struct bh_watch *watch;
	struct settle settle;
	char path[256]; /* that is watched, "" = none */
	bool unable;
	unsigned places, folders;
	int folder[64]; /* watched, as the kernel numbers them */
	struct {
		int wd;
		char name[NAME_MAX + 1];
	} place[24];
};

struct super {
	struct child slot[BH_MAX_SLOTS];
	struct bh_loop *loop;
	struct super_config cfg;
	void *cfg_image;
	struct bh_options options;
	struct bh_config config; /* in use */
	int config_fd, config_before; /* owned */
	int source_fd, source_before; /* owned: their texts */
	struct bh_seg table_map, memory_map, self_map;
	struct bh_seg_fds table;
	struct bh_table_head *head;
	struct bh_proc_entry *entries;
	struct super_memory *memory;
	struct bh_self *self;	 /* ours, writable */
	uint64_t oom_kills;	 /* in our cgroup, as far as we know */
	uint64_t tick_ns;	 /* when those are looked at whom nobody waits for */
	struct bh_timer *timer;	 /* the nearest deadline of any slot, and retries */
	char path[256];		 /* of the YAML */
	char main_path[256];	 /* of that which we were started with; profiles are beside it */
	pid_t keeping[8];	 /* runs of bh-config that put a version into the history; 0 = none */
	bool restart_me;	 /* leave without a word: the keeper starts the next
				  * one, which adopts */
	bool running;		 /* set up: table and segments are there */
	bool hup_ends;		 /* started from a terminal: its end is ours */
	int lock;		 /* owned: the locked pid file */
	int signals;		 /* owned */

	/* the keeper */
	int keeper_sock, keeper_pidfd;
	pid_t keeper_pid;
	struct bh_watch *keeper_watch, *keeper_pid_watch;
	bool keeper_stale;	 /* it missed something: gets all of it again */
	uint64_t keeper_started_ns;
	unsigned keeper_quick;
	uint64_t exec_ns;	 /* adoption: CLOCK_BOOTTIME when the keeper began to start us */
	uint64_t keeper_due_ns;	 /* start another then; 0 = there is one */

	/* reload */
	struct config_run run;
	struct config_wish wish[4];
	struct file_watch file;
	bool asking;		 /* phase one of a reload: processes look at the new configuration */
	struct bh_config next;
	int next_fd, next_source, next_options[BH_MAX_SLOTS];
	uint64_t asking_until_ns, next_text;
	char next_path[256], next_changes[6000];
	uint32_t reload_request; /* to be answered; 0 = nobody asked */
	bool reload_by_request;

	struct spare spare[BH_MAX_SLOTS]; /* by program */
	struct {
		pid_t pid;	 /* of our own new program, tried; 0 = nothing is */
		bool late;
		uint32_t number; /* who asked */
		uint64_t until_ns;
	} self_try;
	bool sched_used;	 /* real-time scheduling is granted, and in use */
	uint64_t spare_due_ns;	 /* look then whether one is missing, or one too many; 0 = nothing to do */

	/* the log */
	int log_fd, log_inotify;
	struct bh_watch *log_watch;
	struct bh_timer *log_timer;
	char log_path[512];

	/* deaths that the keeper told us before we had noticed them */
	struct {
		pid_t pid;
		int status;
	} reaped[32];
	unsigned reaped_next;
};

/* main.c */
void super_policy(struct child *c, enum bh_policy_event ev, bool attaching, bool unproven);
void super_arm(struct super *s);
void super_limits(const struct child *c, struct bh_policy_limits *out);
/* The answer of a process to a request that was passed on to it. */
void super_forwarded(struct child *c, const struct bh_event *ev, const uint8_t *payload, size_t len);
void super_request(struct super *s, uint32_t what, uint32_t number, struct bh_request_args *args);
void super_quit(struct super *s, int exit_code);
void super_result(struct super *s, uint32_t number, int err, const char *text);
void super_cold_start(struct super *s);
void super_cold_failed(struct super *s, int exit_code);
void super_gone(struct child *c);

/* config.c */
int config_start(struct super *s, const char *path, enum config_why why);
bool config_is_busy(const struct super *s);
int config_wish(struct super *s, const char *path, bool by_request, uint32_t number);
void config_next_wish(struct super *s);
void config_keep(struct super *s);
bool config_kept(struct super *s, pid_t pid, int status);
void config_finish(struct super *s);
void config_on_back(struct child *c, const struct bh_spawn_msg *msg);
void config_on_death(struct child *c);
void config_on_timer(struct super *s, uint64_t now);
void config_revert(struct super *s, const struct child *culprit);
void config_reconcile(struct super *s);
int config_load_own(struct super *s);
void config_child_ready(struct child *c);

/* spawn.c */
int spawn_setup(struct child *c, const struct bh_config *config, const struct bh_cfg_proc *row);
int spawn_fresh(struct child *c);
void spawn_teardown(struct child *c);
int spawn_process(struct child *c, bool at_once);
int spawn_attach(struct child *c);
int spawn_map(struct child *c);
void spawn_unmap(struct child *c);
void spawn_flush(struct child *c);
void spawn_row(struct child *c, const struct bh_config *config, const struct bh_cfg_proc *row);
bool spawn_needs_room(const struct child *c, const struct bh_config *config);
int spawn_grow(struct child *c);
bool spawn_have_ring(const struct child *a, const struct child *b);
bool spawn_fits(const struct child *c, const struct bh_cfg_proc *row);
int *spawn_place(struct super *s, const struct bh_spawn_fd *what);
void spawn_watch_sock(struct child *c);
void spawn_leave(struct child *c);
uint32_t spawn_records(const struct bh_config *config);

/* spare.c */
void spare_touch(struct super *s);
void spare_on_timer(struct super *s, uint64_t now);
struct spare *spare_for(struct child *c);
bool spare_is_usable(struct spare *sp);
int spare_begin(struct super *s, struct spare *sp);
void spare_end(struct spare *sp);
bool spare_file_of(const char *path, struct spare_file *out);
void spare_take(struct spare *sp, struct child *c);
void spare_taken(struct spare *sp, struct child *c);
void spare_adopt(struct super *s);
void spare_log(struct super *s, int fd);
void spare_end_all(struct super *s);

/* sched.c */
int sched_level(const struct super *s, unsigned role);
void sched_process(struct super *s, pid_t pid, unsigned role);
void sched_apply(struct super *s);

/* upgrade.c */
void upgrade_begin(struct child *c, uint32_t number);
void upgrade_parked(struct child *c);
void upgrade_failed(struct child *c, const char *what);
struct spare *upgrade_next(struct child *c);
void upgrade_program(struct child *c, char path[64], const char **program);
void upgrade_ready(struct child *c);
void upgrade_died(struct child *c);
void upgrade_cancel(struct child *c);
void upgrade_on_timer(struct super *s, uint64_t now);
void upgrade_self(struct super *s, uint32_t number);
bool upgrade_reaped(struct super *s, pid_t pid, int status);

/* watch.c */
void watch_gone(struct child *c);
void watch_start(struct child *c);
void watch_stop(struct child *c);
void watch_drain(struct child *c);
void watch_children(struct super *s);
void watch_on_reaped(struct super *s, pid_t pid, int status);
void watch_died(struct child *c, int cause, int code);
void watch_frozen(struct child *c);
void watch_look(struct child *c, uint64_t now);
void watch_beat(struct child *c);
void watch_ready(struct child *c);
bool watch_may_expire(struct child *c, uint64_t now);
uint64_t watch_ran_ns(pid_t pid);
int watch_start_time(pid_t pid, uint64_t *start_time, char *state);

/* limits.c */
void limits_init(struct super *s);
void limits_set(struct child *c);
void limits_look(struct child *c, uint64_t now);
/* The limit that a death was about, if any. */
enum bh_limit limits_of_death(struct child *c, int cause, int code);

/* table.c */
int table_create(struct super *s);
int table_map(struct super *s);
void table_write(struct child *c);
void table_load(struct child *c);
void table_health(struct child *c, enum bh_health health, const char *hint, const char *reason, ...)
	__attribute__((format(printf, 4, 5)));
void table_claimed(struct child *c);
void table_tell(struct super *s);
void table_tell_all(struct child *reader);
void table_pid_file(struct super *s);
int table_lock(struct super *s);
void table_unlock(struct super *s);

/* keep.c */
void keep_fd(struct super *s, uint16_t role, uint16_t slot, uint16_t peer, uint16_t flags);
void keep_slot(struct child *c);
void keep_forget(struct super *s, uint16_t slot, uint16_t role);
void keep_all(struct super *s);
int keep_receive(struct super *s);
int keep_attach(struct super *s, int sock, pid_t pid);
void keep_poll(struct super *s);
void keep_on_timer(struct super *s, uint64_t now);
void keep_quit(struct super *s, int exit_code);
/* What is started: a keeper stays in our group; a spare links all of itself at once; who is needed now is scheduled as we are at first. */
enum super_run { SUPER_RUN_KEEPER, SUPER_RUN_ASIDE, SUPER_RUN_SPARE, SUPER_RUN_NOW };
/* fds: what becomes descriptor 3, 4 and 5; -1 = not given. */
int super_run_program(const char *binary, char *const argv[], const int fds[3], int fd_err, pid_t *pid, enum super_run how);

/* filewatch.c */
void filewatch_apply(struct super *s);
void filewatch_read(struct super *s, const char *path);
void filewatch_on_timer(struct super *s, uint64_t now);

/* logfile.c */
void logfile_apply(struct super *s);
int logfile_fd(const struct super *s);

/* notify.c */
void notify_systemd(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * layout.h - every byte that two processes of Bulkhead share
 *
 * The layout is an ABI: a tool reads the segments of dead processes, a successor may be of a newer build. All
 * structs have fixed-width fields, no pointers, and a size that a static assertion pins. Every segment begins
 * with struct bh_seg_header, which says where its sections are; nobody relies on an offset that the header does
 * not state.
 *
 * Who writes: each segment has exactly one writing process, the owner of the slot in `writer`. Everybody else maps
 * it read-only and trusts no word in it: copy out once, check, use.
 *
 * The segments of one process (slot p):
 *   self      health, counters, cursors of the rings it consumes, its bell, in-flight mark, histograms
 *   outbox    one for each peer q: the event ring p->q and the cells (newest value of each id)
 *   params    drivers only: the parameter directory
 *   state     router: wanted values and surface state as records; surface: what the hardware shows
 *   private   mapped by its writer alone: the router's redo journal, the surface's raw byte ring, quarantine
 * and for all: config (written once, sealed) and the process table (written by the supervisor).
 */
#pragma once

#include <assert.h>
#include <stdint.h>

#define BH_LINE		64u		/* bytes in a cache line; events never straddle one */
#define BH_SEG_MAGIC	0x31474553444b4c42ull /* "BLKDSEG1" */
#define BH_SEG_VERSION	1u
#define BH_MAX_SLOTS	32u		/* processes in one pipeline */
#define BH_MAX_CONTROLS 256u		/* controls of one surface */
#define BH_MAX_PARAMS	4096u		/* parameters of one driver */
#define BH_MAX_ROOM	1024u		/* parameters of the router itself */
#define BH_NAME_MAX	120u		/* bytes of UTF-8 in a parameter's or control's name, without NUL */
#define BH_TEXT_MAX	63u		/* bytes of UTF-8 in a text value, without NUL */
#define BH_INLINE_MAX	32u		/* bytes of a value that travel inside the event itself */

/* Well-known slots; surfaces and drivers follow. */
enum bh_slot {
	BH_SLOT_SUPERVISOR = 0,
	BH_SLOT_ROUTER = 1,
	BH_SLOT_CONTROL = 2,
	BH_SLOT_STORE = 3,
	BH_SLOT_FIRST_FREE = 4,
	BH_SLOT_NONE = 0xffff,
};

enum bh_seg_kind {
	BH_SEG_SELF = 1,
	BH_SEG_OUTBOX,
	BH_SEG_PARAMS,
	BH_SEG_STATE,
	BH_SEG_PRIVATE,
	BH_SEG_CONFIG,
	BH_SEG_TABLE,
};

enum bh_section_kind {
	BH_SEC_NONE = 0,
	BH_SEC_RING,	   /* struct bh_slot_event[count], count a power of two */
	BH_SEC_CELLS,	   /* struct bh_cell[count] */
	BH_SEC_OUTBOX,	   /* struct bh_outbox_head, one */
	BH_SEC_SELF,	   /* struct bh_self, one */
	BH_SEC_HISTS,	   /* struct bh_hist[count] */
	BH_SEC_RECORDS,	   /* struct bh_record[count] */
	BH_SEC_DIRECTORY,  /* struct bh_dir_head, one */
	BH_SEC_DIR_RECORDS,/* struct bh_dir_record[count] */
	BH_SEC_DIR_STRINGS,/* `count` bytes: names of choices */
	BH_SEC_JOURNAL,	   /* two struct bh_journal_slot of `stride` bytes each */
	BH_SEC_BYTES,	   /* raw bytes, `count` of them, pre-filled with FD (the surface's input) */
	BH_SEC_BYTES_HEAD, /* struct bh_bytes_head, one */
	BH_SEC_QUARANTINE, /* struct bh_quarantine[count] */
	BH_SEC_SCRATCH,	   /* `count` bytes for the process's own use; survives it */
	BH_SEC_PROCS,	   /* struct bh_proc_entry[count] */
	BH_SEC_TABLE,	   /* struct bh_table_head, one */
	BH_SEC_CONFIG,	   /* compiled configuration; see common/config/compiled.h */
	BH_SEC_ACCOUNT,	   /* self: struct bh_account[BH_MAX_SLOTS * BH_CLASSES], of each peer and class */
};

#define BH_SEG_SECTIONS 14u

struct bh_section {
	uint32_t kind;	 /* enum bh_section_kind */
	uint32_t stride; /* bytes from one element to the next */
	uint32_t count;
	uint32_t reserved;
	uint64_t offset; /* from the start of the segment, a multiple of BH_LINE */
};
static_assert(sizeof(struct bh_section) == 24, "ABI");

/* Written by the creator before anyone else has the descriptor; constant afterwards. */
struct bh_seg_header {
	uint64_t magic;
	uint32_t version;
	uint32_t kind;	 /* enum bh_seg_kind */
	uint64_t size;	 /* bytes of the whole segment */
	uint16_t writer; /* slot of the one writing process */
	uint16_t peer;	 /* outbox: the consumer's slot; else BH_SLOT_NONE */
	uint32_t epoch;	 /* counts fresh segments of the same name; a new one means: forget what you know */
	char name[40];	 /* "desk>router"; NUL-terminated, for people */
	uint32_t sections;
	uint32_t check;	 /* CRC-32C of this header with check = 0 */
	struct bh_section section[BH_SEG_SECTIONS];
	uint8_t pad[512 - 80 - 24 * BH_SEG_SECTIONS];
};
static_assert(sizeof(struct bh_seg_header) == 512, "ABI");

/* ------------------------------------------------------------------ values and events */

enum bh_type { BH_NONE = 0, BH_BOOL, BH_INT, BH_FLOAT, BH_ENUM, BH_TEXT, BH_TRIGGER };

/* A value as it stands in cells and records. BOOL, INT and ENUM use i, FLOAT uses f, TEXT uses s. */
union bh_val {
	double f;
	int64_t i;
	uint64_t u[8];
	char s[64]; /* NUL-terminated UTF-8 */
};
static_assert(sizeof(union bh_val) == 64, "ABI");

enum bh_event_kind {
	BH_EV_NONE = 0,
	/* kinds with a cell: the newest is never lost */
	BH_EV_VALUE,	/* id = control or parameter; v = its value; gen counts this id's values */
	BH_EV_TOUCH,	/* id = fader control; i = 1 touched, 0 released; shares the control's cell (flags) */
	BH_EV_RELEASE,	/* id = button control; i = 0 */
	BH_EV_RELATIVE, /* id = control; total = running total of ticks, wrapping */
	BH_EV_METER,	/* as VALUE, may be thinned */
	/* kinds without: at most once, refused visibly when the ring is full */
	BH_EV_PRESS,	/* id = button control */
	BH_EV_ACTION,	/* id = action index of the driver; value = argument (inline or continued) */
	BH_EV_DROPPED,	/* an action did not happen: id as it was; i = enum bh_drop; total = the action's gen */
	BH_EV_DIRECTORY,/* the parameter directory changed; i = record count */
	BH_EV_HEALTH,	/* id = slot; i = enum bh_health. From a process: its own; from the supervisor: anyone's */
	BH_EV_REQUEST,	/* id = enum bh_request; total = request number; continuation = arguments */
	BH_EV_RESULT,	/* answers a request: total = its number; i = 0 or -errno; continuation = text */
	BH_EV_MAIL,	/* the supervisor has put a message into your socketpair: read it */
	BH_EV_RESYNC,	/* the sender is a successor (or the ring was overrun): look at all its cells */
	BH_EV_DIRTY,	/* state changed (router to store) */
	BH_EV_OWED,	/* to the supervisor: slot `id` has not consumed for i nanoseconds */
	BH_EV_KIND_COUNT
};

/*
 * Ids and values by direction.
 *
 * surface <-> router, id = control: see common/feedback.h.
 * driver -> router, id = parameter: VALUE or METER as typed in the directory, total = gen of the wanted value that the driver had taken by
 *   then (0: none, or of a meter); DROPPED (id = action, gen = its number, total =
 *   its origin, v.i = enum bh_drop, payload = why in words, may be empty; with v.u[1] = 1: id = parameter whose wanted value the backend
 *   refused); DIRECTORY.
 * router -> driver: VALUE id = parameter, what is wanted; of a METER: 1 while somebody looks at it, 0 when nobody does any more;
 *   ACTION id = action, gen = number of the action, total = origin (slot
 *   << 16 | control), payload = arguments, each NUL-terminated; stamp_ns = the moment of the press.
 */
enum bh_drop { BH_DROP_LATE = 1, BH_DROP_FULL, BH_DROP_QUARANTINED, BH_DROP_FAILED, BH_DROP_UNKNOWN, BH_DROP_DOWN };

/* One event, one cache line. In the ring the first word is the slot's sequence. */
struct bh_event {
	uint64_t seq;	   /* position + 1 once published; see ring.h */
	uint64_t stamp_ns; /* CLOCK_BOOTTIME at the origin (the surface's read, the request's arrival) */
	uint32_t id;
	uint32_t gen;	   /* counts the values (or actions) of this id from this producer, from 1, wrapping past 0 */
	uint32_t total;	   /* RELATIVE: running total; VALUE, METER: the cell's `extra`; else by kind */
	uint8_t kind;	   /* enum bh_event_kind */
	uint8_t type;	   /* enum bh_type of the value */
	uint8_t len;	   /* TEXT: bytes. With a payload: the low byte of its length (`cont` tells the rest); a TEXT
			    * of more than BH_INLINE_MAX bytes is payload as a whole, its beginning inline too */
	uint8_t cont;	   /* continuation slots that follow */
	union {
		double f;
		int64_t i;
		uint64_t u[4];
		char s[32];
	} v;
};
static_assert(sizeof(struct bh_event) == BH_LINE, "ABI");

#define BH_SEQ_CONT 0x8000000000000000ull /* set in the sequence of a continuation slot */
#define BH_CONT_BYTES 56u		  /* payload bytes in one continuation slot */
#define BH_CONT_MAX 8u			  /* continuation slots of one event */
#define BH_PAYLOAD_MAX (BH_CONT_MAX * BH_CONT_BYTES)

struct bh_cont {
	uint64_t seq; /* (position + 1) | BH_SEQ_CONT */
	uint8_t data[BH_CONT_BYTES];
};
static_assert(sizeof(struct bh_cont) == BH_LINE, "ABI");

/* ------------------------------------------------------------------ cells: the newest value of each id */

#define BH_CELL_TOUCHED 1u /* the hand is on it */
#define BH_CELL_PRESSED 2u

struct bh_cell_body {
	uint64_t stamp_ns;
	uint32_t gen;
	uint32_t total; /* running total of ticks, wrapping */
	uint8_t type;
	uint8_t kind;	/* of the event that wrote it last */
	uint16_t flags;	/* BH_CELL_... */
	uint32_t extra;	/* VALUE, METER: the event's `total`, by use (ring mode, colour, overload) */
	union bh_val v;
};
static_assert(sizeof(struct bh_cell_body) == 88, "ABI");

/* Two copies and an index; see latch.h. The copy to read is turn & 1. */
struct bh_cell {
	uint64_t turn;
	struct bh_cell_body copy[2];
	uint64_t pad;
};
static_assert(sizeof(struct bh_cell) == 192, "ABI");

struct bh_outbox_head {
	uint64_t overflow; /* counts values that went to a cell only because the ring was full, and producers that attached: the
			    * consumer that has emptied the ring and sees a new count looks at all cells */
	uint64_t published, conflated, refused, thinned; /* totals, for people */
	uint64_t pad[3];
};
static_assert(sizeof(struct bh_outbox_head) == 64, "ABI");

/* ------------------------------------------------------------------ self */

#define BH_BELL_FUTEX 1u
#define BH_BELL_PIPE  2u

struct bh_bell_word {
	uint64_t episode; /* odd = asleep */
	uint32_t mode;	  /* BH_BELL_... */
	uint32_t pad;
};

enum bh_health {
	BH_HEALTH_STARTING, BH_HEALTH_OK, BH_HEALTH_CONNECTING, BH_HEALTH_DEGRADED, BH_HEALTH_BAD_CONFIG,
	BH_HEALTH_AUTH_FAILED, BH_HEALTH_NO_PERMISSION, BH_HEALTH_BACKING_OFF, BH_HEALTH_FAILED,
	BH_HEALTH_HELD, BH_HEALTH_STOPPED, BH_HEALTH_COUNT
};

struct bh_health_record {
	uint64_t since_ns; /* CLOCK_BOOTTIME */
	uint32_t health;   /* enum bh_health */
	uint32_t pad;
	char reason[80];
	char hint[80];
	uint8_t fill[8];
};
static_assert(sizeof(struct bh_health_record) == 184, "ABI");

/* Set before a value or action is applied, cleared after: what a dead process was doing. */
struct bh_inflight {
	uint64_t seq;	 /* of the event in its ring, 0 = nothing in flight */
	uint64_t digest; /* of kind, id, value and arguments */
	uint32_t id;
	uint16_t peer;	 /* slot of the ring's producer */
	uint8_t kind;
	uint8_t pad;
	uint64_t stamp_ns; /* CLOCK_BOOTTIME when it was set */
};
static_assert(sizeof(struct bh_inflight) == 32, "ABI");

enum bh_counter {
	BH_CNT_EVENTS_IN, BH_CNT_EVENTS_OUT, BH_CNT_CONFLATED, BH_CNT_DROPPED_LATE, BH_CNT_REFUSED, BH_CNT_METERS_THINNED,
	BH_CNT_PEER_FAULTS,  /* words of a peer that broke the protocol */
	BH_CNT_RECORDS_BAD,  /* state records whose check sum failed at attach */
	BH_CNT_WAKEUPS, BH_CNT_SLEEPS, BH_CNT_BELLS, /* system calls for sleeping and ringing */
	BH_CNT_QUARANTINED, BH_CNT_RECONNECTS, BH_CNT_BYTES_IN, BH_CNT_BYTES_OUT,
	BH_CNT_LINK_ODDITIES, /* garbage bytes, broken sysex */
	BH_CNT_ALLOCS,	     /* allocations seen on the event path by the counting allocator of the tests */
	BH_CNT_USER0, BH_CNT_USER1, BH_CNT_USER2, BH_CNT_USER3,
	/* Drivers: of the values that were taken from the router's ring those given to the backend, and those left out because a
	 * newer one is known; actions that were begun. What was neither begun nor dropped has no driver. */
	BH_CNT_VALUES_APPLIED, BH_CNT_VALUES_LEFT_OUT, BH_CNT_ACTIONS_BEGUN,
	BH_CNT_LAST = 31
};

#define BH_HOLDS_CALLS	    1u /* no other program, no other process's memory or descriptors, none of the kernel's tools */
#define BH_HOLDS_READ_ONLY  2u /* nothing that exists can be opened for writing: what it maps read-only stays so */
#define BH_HOLDS_NO_NETWORK 4u /* speaks to this machine at most */
#define BH_HOLDS_NO_PRIVS   8u /* no new privileges by setuid programs */
#define BH_HOLDS_PATHS	    16u /* files and folders of its profile only (Landlock) */
#define BH_HOLDS_PORTS	    32u /* TCP to the ports of its profile only */
#define BH_HOLDS_SCOPE	    64u /* no signals and abstract sockets of other processes */
#define BH_HOLDS_LIMITS	    128u /* descriptors, processes, size of files, cores */
#define BH_HOLDS_NO_NEW_CODE 256u /* no memory becomes executable */
#define BH_HOLDS_NO_DUMP    512u /* no other process of the user looks into it */
#define BH_HOLDS_TRAP	    1024u /* for tests: a refused call ends it */
#define BH_LACKS(bit)	    ((uint64_t)(bit) << 32) /* it should hold, and the kernel has it not */

struct bh_self {
	uint64_t beat;		/* loop turns */
	uint64_t beat_ns;	/* CLOCK_BOOTTIME of the last turn */
	uint64_t attach_count;	/* lives of this slot, this one included */
	uint64_t ready_life;	/* attach_count of the life that became ready last */
	uint32_t pid;
	uint32_t busy_limit_ms; /* a declared long call; 0 = none */
	uint64_t state_gen;	/* counts changes of this process's state segment; bh-store: odd while a snapshot is due */
	struct bh_bell_word bell;
	struct bh_inflight inflight;
	uint64_t turn;		/* of the health latch */
	struct bh_health_record health[2];
	uint64_t counter[32];	/* enum bh_counter */
	uint64_t cursor[BH_MAX_SLOTS]; /* next position to consume of the ring from each slot */
	uint64_t answered[BH_MAX_SLOTS]; /* the episode of each peer that was rung last */
	uint64_t attaching;	/* 1 while attaching: who dies with it set twice gets fresh segments */
	uint64_t holds;		/* BH_HOLDS_ and BH_LACKS() bits: what this process gave up before it read a word of a peer; 0 = nothing */
	uint64_t busy_ended_ns; /* CLOCK_MONOTONIC: the last declared call came to its end */
	uint64_t pad[10];
};
static_assert(sizeof(struct bh_self) == 1344, "ABI");

/*
 * What a process told a peer and took from it, by class: sent = published + conflated + dropped by the producer, and the consumer has
 * taken what was published, less what still stands in the ring. Exact while the process lives; whoever is killed between an event
 * and its count leaves that one out.
 */
enum bh_class {
	BH_CLASS_VALUE,	   /* VALUE, TOUCH, RELEASE */
	BH_CLASS_RELATIVE,
	BH_CLASS_ACTION,   /* PRESS, ACTION */
	BH_CLASS_METER,
	BH_CLASS_OTHER,
	BH_CLASSES
};

struct bh_account {
	uint64_t sent;	    /* handed to the outbox */
	uint64_t published; /* of these, in the ring */
	uint64_t conflated; /* in the cell alone: the ring was full */
	uint64_t dropped;   /* neither: refused */
	uint64_t taken;	    /* out of the ring from the peer */
	uint64_t pad[3];
};
static_assert(sizeof(struct bh_account) == 64, "ABI");

/* Latency histogram: log-linear, 32 buckets for each power of two, 1 ns to 2^36 ns. See hist.h. */
#define BH_HIST_SUB 32u
#define BH_HIST_BUCKETS (BH_HIST_SUB * 33u)
struct bh_hist {
	char name[32];
	uint64_t count, sum_ns, max_ns, reset;
	uint32_t bucket[BH_HIST_BUCKETS];
};
static_assert(sizeof(struct bh_hist) % 8 == 0, "ABI");

/* ------------------------------------------------------------------ records of state */

#define BH_RECORD_BYTES 112u

struct bh_record_copy {
	uint8_t data[BH_RECORD_BYTES];
	uint32_t gen;
	uint32_t check; /* CRC-32C of data and gen */
};
static_assert(sizeof(struct bh_record_copy) == 120, "ABI");

struct bh_record {
	uint64_t turn; /* 0 = never written */
	struct bh_record_copy copy[2];
	uint64_t pad;
};
static_assert(sizeof(struct bh_record) == 256, "ABI");

/* ------------------------------------------------------------------ parameter directory */

enum bh_taper { BH_TAPER_LINEAR, BH_TAPER_FADER_DB, BH_TAPER_LOG, BH_TAPER_STEPS, BH_TAPER_OBS_DB, BH_TAPER_COUNT };
#define BH_ACCESS_READ	1u
#define BH_ACCESS_WRITE 2u
#define BH_ACCESS_METER 4u /* newest only, may be thinned */
#define BH_ACCESS_RESTORE 8u /* the backend has no memory of its own: after a cold start it is given the room's values */

struct bh_dir_head {
	uint64_t count; /* records released so far; a release store after each (and its strings) is complete */
	uint64_t strings; /* bytes of the strings section in use */
	uint32_t epoch; /* a rebuilt directory has a new one */
	uint32_t lost;	/* 1 = begun anew with less than there was: an index without a record may have been another parameter's, and so its cells */
	uint64_t fill[5];
};
static_assert(sizeof(struct bh_dir_head) == 64, "ABI");

#define BH_DIR_TOMBSTONE 1u

struct bh_dir_record {
	char name[BH_NAME_MAX + 8]; /* within the driver: "ch1/level" */
	uint32_t index;	  /* of the parameter: its cell and its record */
	uint32_t gen;	  /* counts reuses of the index */
	uint8_t type;	  /* enum bh_type */
	uint8_t taper;	  /* enum bh_taper */
	uint8_t access;	  /* BH_ACCESS_... */
	uint8_t flags;	  /* BH_DIR_... */
	uint32_t was;	  /* renamed: index before, else 0xffffffff */
	double min, max, step, def;
	char unit[12];
	uint16_t choices; /* number of choices of an ENUM; their names stand in the strings section, each */
	uint16_t pad;	  /* NUL-terminated, one after the other */
	uint32_t choices_off, choices_len; /* where; bytes with the NULs */
	char label[24];	  /* short name for a scribble strip, may be empty */
	char backend_id[72];
	uint64_t since_ns; /* CLOCK_BOOTTIME: cells of this index that are older were another parameter's; 0 = nobody had it before */
	uint32_t fill[3];
	uint32_t check;	  /* CRC-32C of all before */
};
static_assert(sizeof(struct bh_dir_record) == 320, "ABI");

/* ------------------------------------------------------------------ the router's redo journal */

#define BH_JOURNAL_MAGIC 0x4c4e524au

/* One transaction. Slot k is valid when commit == txn and check fits; the newest valid one counts. */
struct bh_journal_slot {
	uint64_t commit;   /* release-stored last: = txn */
	uint64_t txn;	   /* counts transactions from 1; slot index is txn & 1 */
	uint64_t input_seq;/* cursor value after this input, for its ring */
	uint64_t time_ns;
	uint16_t input_slot; /* BH_SLOT_NONE: a timer or drain step */
	uint16_t input_kind;
	uint32_t changes;  /* struct bh_journal_change[], then ... */
	uint32_t outputs;  /* struct bh_journal_output[] */
	uint32_t bytes;	   /* of changes and outputs together */
	uint64_t outbox_end[BH_MAX_SLOTS]; /* position of each outbox before the outputs */
	uint64_t overflow_seen[BH_MAX_SLOTS]; /* overflow count of each inbox that is drained after this */
	uint32_t check;	   /* CRC-32C of all after `commit`, with check = 0, and of the body */
	uint32_t pad[3];
	/* body follows */
};
static_assert(sizeof(struct bh_journal_slot) == 576, "ABI");

struct bh_journal_change {
	uint32_t record;
	uint32_t gen;
	uint8_t data[BH_RECORD_BYTES];
};
static_assert(sizeof(struct bh_journal_change) == 120, "ABI");

#define BH_OUT_PUSH	1u /* goes into the ring (there was room when it was decided) */
#define BH_OUT_CELL	2u /* goes into a cell */
#define BH_OUT_REFUSED	4u /* an action for which there was no room: counted, shown */

struct bh_journal_output {
	uint16_t slot;	/* to whom */
	uint16_t flags; /* BH_OUT_... */
	uint32_t cell_flags;
	struct bh_event ev;
	union bh_val v; /* the whole value: ev has its first 32 bytes */
};
static_assert(sizeof(struct bh_journal_output) == 136, "ABI");

/* ------------------------------------------------------------------ the surface's raw input */

struct bh_bytes_head {
	uint64_t decoded; /* bytes decoded and committed so far (position in the endless stream) */
	uint64_t read_from; /* position where the read in progress was allowed to write */
	uint64_t parser[8]; /* the parser's own state at `decoded`, if it has any */
	uint64_t pad[6];
};
static_assert(sizeof(struct bh_bytes_head) == 128, "ABI");

/* ------------------------------------------------------------------ quarantine */

struct bh_quarantine {
	uint64_t digest;
	uint64_t first_ns, last_ns; /* CLOCK_BOOTTIME of the deaths */
	uint32_t id;
	uint8_t kind;
	uint8_t deaths;
	uint8_t active; /* skipped from now on */
	uint8_t pad;
	uint64_t skipped;
	char what[24];
};
static_assert(sizeof(struct bh_quarantine) == 64, "ABI");

/* ------------------------------------------------------------------ process table */

enum bh_role { BH_ROLE_NONE = 0, BH_ROLE_SUPERVISOR, BH_ROLE_ROUTER, BH_ROLE_CONTROL, BH_ROLE_STORE, BH_ROLE_SURFACE, BH_ROLE_DRIVER };

struct bh_table_head {
	uint64_t generation;	  /* counts changes of any entry */
	uint64_t config_generation; /* counts configurations taken into use */
	uint64_t started_ns;
	uint32_t keeper_pid;
	uint32_t supervisor_pid;
	uint32_t supervisor_lives;
	uint32_t keeper_lives;
	char config_path[256];
	char profile[72]; /* of that file; "" = it is none */
	uint64_t adopted_ns;	  /* CLOCK_BOOTTIME when this supervisor had taken over the last process; 0 = it made them all */
	uint64_t adoption_ns;	  /* how long that took, from when the keeper began to start it */
};
static_assert(sizeof(struct bh_table_head) == 384, "ABI");

/* The last death of a process, as the supervisor saw it. */
struct bh_death {
	uint64_t time_ns;
	uint32_t pid;
	uint16_t cause; /* enum bh_cause */
	uint16_t code;	/* exit status or signal number */
};
enum bh_cause { BH_CAUSE_NONE, BH_CAUSE_EXIT, BH_CAUSE_SIGNAL, BH_CAUSE_HANG, BH_CAUSE_LIMIT, BH_CAUSE_NEVER_READY, BH_CAUSE_UNKNOWN };

struct bh_proc_entry {
	uint64_t turn; /* latch over the two bodies */
	struct bh_proc_body {
		char name[32];
		char kind[24];	   /* binary is bh-<kind> */
		uint8_t role;	   /* enum bh_role; BH_ROLE_NONE = slot unused */
		uint8_t wanted;	   /* 1 = run, 0 = stopped or held by a person */
		uint8_t alive;
		uint8_t pad0;
		uint32_t pid;
		uint64_t start_time; /* field 22 of /proc/PID/stat: with the pid it names one process */
		uint64_t started_ns; /* CLOCK_BOOTTIME of the last start */
		uint32_t restarts;   /* since the pipeline began */
		uint32_t recent_failures; /* within the window */
		uint64_t next_start_ns; /* backing off until */
		struct bh_health_record health; /* as judged from outside */
		struct bh_death death[4]; /* newest first */
		uint64_t last_recovery_ns; /* death noticed to ok again */
		uint32_t segment_epoch;
		uint32_t hangs;
		uint32_t warm_starts; /* of its restarts, those by a spare */
		uint32_t spare_pid;   /* the parked spare of its kind, 0 = none */
		uint8_t fill[24];
	} copy[2];
	uint64_t pad;
};
static_assert(sizeof(struct bh_proc_body) == 392, "ABI");
static_assert(sizeof(struct bh_proc_entry) == 800, "ABI");

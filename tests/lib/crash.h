/*
 * crash.h - one process dies at every instruction of its work; what survivors and successors make of each image
 *
 * A scene is a piece of work on segments. It is stepped once (step.h): each distinct image is laid into a second set of the same
 * segments, recovered there by a successor, and judged by a reader that has nothing in common with the code under test. Then the
 * copies are made to prove themselves: at random instructions the process is really killed and a real successor goes on; what it
 * leaves must be judged as the copy of that image was.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shm/layout.h"
#include "shm/seg.h"

#define CRASH_SEGS 72
#define CRASH_WHY  160

struct crash_memory {
	struct bh_seg_fds fds[CRASH_SEGS];
	struct bh_seg seg[CRASH_SEGS];
	size_t len[CRASH_SEGS]; /* bytes that count: all of it, or what is before histograms */
	unsigned segs, own;	/* the first `own` are the ones that the dying process writes */
	void *life;		/* whatever the scene needs to use this set: zeroed, CRASH_LIFE bytes */
	const void *scene;	/* borrowed: its argument */
};
#define CRASH_LIFE (1u << 20)

struct crash_scene {
	const char *name;
	const void *arg;
	void (*build)(struct crash_memory *m);	 /* by crash_add() and crash_own() */
	void (*before)(struct crash_memory *m);	 /* what happened until now; leaves the process attached */
	void (*work)(struct crash_memory *m);	 /* in a child, which dies somewhere in it */
	void (*recover)(struct crash_memory *m); /* a successor, from what lies in memory alone */
	void (*go_on)(struct crash_memory *m);	 /* it finishes what there was to do; the others, too */
	void (*leave)(struct crash_memory *m);	 /* unmap what recover() mapped */
	/* By an independent reader: what was in the end, as a number; in `why` what is wrong with it. */
	uint32_t (*judge)(struct crash_memory *m, char *why, size_t cap);
	/* The same of the image as it is, before anybody has recovered anything. May be NULL. */
	void (*survive)(struct crash_memory *m, char *why, size_t cap);
	unsigned every;	 /* a successor goes on from each so-manieth distinct image; 0 = from all */
	bool one_end;	 /* judge() must say the same of all */
	unsigned second; /* at each so-manieth of those the successor is stepped, too; 0 = at none */
};

struct crash_result {
	unsigned long instructions;
	unsigned images, distinct, successors; /* `successors`: recoveries run, on copies and after real kills */
	unsigned second_images;
	unsigned kills, unknown, differ; /* real kills; images that no copy had; verdicts unlike the copy's */
	unsigned wrong;
	char why[CRASH_WHY]; /* the first thing that was wrong, if any */
};

/* Run a scene with so many real kills. -errno: it could not be run. */
int crash_run(const struct crash_scene *scene, unsigned kills, struct crash_result *out);
/* Print it, and add it to the sum (may be NULL). */
void crash_print(const struct crash_scene *scene, const struct crash_result *r, struct crash_result *sum);

/* Build: the segment is mapped. What the dying process writes comes first, then crash_own(), then the others'. Returns its number. */
unsigned crash_self(struct crash_memory *m, uint16_t slot);
unsigned crash_outbox(struct crash_memory *m, uint16_t from, uint16_t to, uint32_t slots, uint32_t cells);
unsigned crash_state(struct crash_memory *m, uint16_t slot, uint32_t records);
unsigned crash_private(struct crash_memory *m, uint16_t slot, uint32_t journal, uint32_t raw, uint32_t scratch);
unsigned crash_params(struct crash_memory *m, uint16_t slot, uint32_t params, uint32_t strings);
unsigned crash_table(struct crash_memory *m);
void crash_own(struct crash_memory *m);

void *crash_section(const struct crash_memory *m, unsigned seg, uint32_t kind, uint32_t *count);
struct bh_self *crash_self_of(const struct crash_memory *m, unsigned seg);
/* In a scene: what must work. Says where, and ends the process. */
#define crash_must(cond) ((cond) ? (void)0 : crash_abort(__FILE__, __LINE__, #cond))
void crash_abort(const char *file, int line, const char *what) __attribute__((noreturn));
/* In judge() and survive(): the first thing that is wrong stays. */
#define crash_wrong(why, cap, ...) ((why)[0] ? 0 : snprintf((why), (cap), __VA_ARGS__))

/* ------------------------------------------------------------------ a reader of its own, by layout.h alone */

struct crash_reader {
	const uint8_t *slots;
	uint32_t mask;
	uint64_t pos;
};
struct crash_reader crash_reader(const struct crash_memory *m, unsigned outbox, uint64_t pos);
/* 1 and the event, whole; 0 there is none; -1 there is something that is none. */
int crash_read(struct crash_reader *r, struct bh_event *ev, uint8_t *payload, size_t *len);
/* The newest body of a cell, and its turn; 0 = never written. */
uint64_t crash_cell(const struct crash_memory *m, unsigned outbox, uint32_t id, struct bh_cell_body *body);
/* A record: 1, 0 = never written, -1 its check sum is wrong. */
int crash_record(const struct crash_memory *m, unsigned state, uint32_t n, uint32_t *gen, void *data);
uint64_t crash_overflow(const struct crash_memory *m, unsigned outbox);
uint32_t crash_crc32c(const void *data, size_t len);
uint64_t crash_hash(uint64_t h, const void *data, size_t len);

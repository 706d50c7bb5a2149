/*
 * core.h - the router's rules as a pure library: (state, event, time) -> (changes, outputs)
 *
 * No I/O, no clock; nothing is allocated but in bh_core_new() and bh_core_config(). The state is the router's records
 * (common/records.h); everything else in here is derived from them, the configuration and the directories, and can be rebuilt.
 * The same calls give the same changes and outputs, bit for bit.
 *
 * A transaction: bh_core_begin(), then what happened (an event, a cell, directory records, timers, a restored value), then
 * bh_core_end(), which also renders the controls concerned as far as the room in the transaction goes; what is left waits for
 * the next one (bh_core_is_pending()). The caller makes the transaction happen; it may not drop it.
 *
 * The rules, and where they are:
 *   hand wins while touched and hand_ms after, per control, never for all              fader.c
 *   a motor is never driven while touched; set once, settle_ms after the release,
 *   at once when the hand left it exactly at an end                                    fader.c
 *   no output to a fader for less than a step                                          fader.c
 *   what a motor itself reports within motor_ms of being sent is no hand               fader.c
 *   a report equal to what we sent confirms it; another one within echo_ms may be an
 *   older echo and waits; the last writer wins                                         param.c
 *   a page is switched by difference; a held fader goes on with what it was grabbed
 *   with until it is let go, so that nothing jumps                                     page.c
 *   under room/quiet, and where a binding says so, a hand takes over where it meets the
 *   value                                                                              fader.c
 *   presses become gestures by the stamps of the hand; what was pressed is what is let
 *   go                                                                                 gesture.c, switch.c
 *   no tick of a wheel is lost, however small its step                                 turn.c
 *   every kind of binding is a row of functions, one for each thing a hand can do      kinds.c
 *   what a control shows is by its own kind, from its bindings alone                   show.c
 *   an action that cannot be sent, or comes back, flashes its button for flash_ms      core.c
 *   a meter's driver is told while somebody looks at it: on a page shown, in a condition or
 *   reaction, by a tool for a while                                                    meter.c
 *   requests are a hand, or a writer like another                                      request.c
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/compiled.h"
#include "common/records.h"
#include "shm/layout.h"

struct bh_core;

/* Windows. The defaults stand in the router's option table (driver.c). */
struct bh_core_options {
	uint32_t hand_ms;      /* after the hand's last move the backend does not drive its fader */
	uint32_t settle_ms;    /* from the release until the motor is set */
	uint32_t echo_ms;      /* a report that differs from what is wanted may be an older echo for so long */
	uint32_t motor_ms;     /* what an untouched fader reports so soon after it was sent is its motor */
	uint32_t flash_ms;     /* a refused action flashes */
	uint32_t press_age_ms; /* older presses do nothing */
	uint32_t overlay_ms;   /* after a hand has left a control its strip shows the value for so long; 0 = never */
};

/* Output flags beyond layout.h: more payload of the output before. */
#define BH_OUT_MORE 8u

/* What a transaction may take, and what it consists of. */
struct bh_tx {
	uint32_t room[BH_MAX_SLOTS]; /* free slots in the ring to each process; counted down */
	size_t bytes; /* room in the journal; counted down */
	uint32_t *change; /* record numbers, each once; their content by bh_core_record() */
	uint32_t changes;
	struct bh_journal_output *output;
	uint32_t outputs;
	uint32_t meters; /* how many of the outputs are meters */
	uint32_t levels; /* how many of the changes are of levels, or of who looks at them: nothing that is kept on disk */
	uint32_t drives; /* ... go to drivers */
	uint32_t faults; /* words of peers that made no sense */
};

#define BH_TX_BYTES_MIN 8192u /* a transaction that cannot hold this much is of no use */

/* Allocate a transaction's arrays for `bytes` of journal. 0 or -ENOMEM. bh_tx_fini() takes a zeroed one. */
int bh_tx_init(struct bh_tx *tx, size_t bytes);
void bh_tx_fini(struct bh_tx *tx);

/* A core with room for that many records. Allocates. 0 or -ENOMEM. */
int bh_core_new(struct bh_core **out, uint32_t records);
void bh_core_free(struct bh_core *core); /* NULL is fine */

/* Before bh_core_config(): what a predecessor left in record `rec`. 0, -ERANGE. */
int bh_core_load(struct bh_core *core, uint32_t rec, uint32_t gen, const void *data);

/* A record as it is now (BH_RECORD_BYTES) and its generation; NULL = never written. */
const void *bh_core_record(const struct bh_core *core, uint32_t rec, uint32_t *gen);

/*
 * Take a configuration into use (borrowed until the next). Allocates. Refuses (-ENOSPC, -EPROTO, -ENOMEM, with `why`) without
 * having changed anything. Afterwards every directory is unknown: feed them again. Records of controls and parameters that
 * are still the same go on. Follow it by a transaction with bh_core_adopt().
 */
int bh_core_config(struct bh_core *core, const struct bh_config *config, const struct bh_core_options *opt, char *why,
		   size_t cap);

/* Directories are being fed: nothing is rendered until they are. bh_core_config() begins so. */
void bh_core_unsettle(struct bh_core *core);
void bh_core_settled(struct bh_core *core);

void bh_core_begin(struct bh_core *core, struct bh_tx *tx, uint64_t now_ns);
void bh_core_end(struct bh_core *core);

/* ------------------------------------------------------------------ inside a transaction */

/* After bh_core_config(): write down which page is shown and by which configuration. */
void bh_core_adopt(struct bh_core *core);

/* One event from process `from`, as it came: nothing in it is believed. */
void bh_core_event(struct bh_core *core, uint16_t from, const struct bh_event *ev, const void *payload, size_t len);

/* A cell of `from`, looked at because its ring overflowed or its producer is a successor. */
void bh_core_cell(struct bh_core *core, uint16_t from, uint32_t id, const struct bh_cell_body *body);
/* Would bh_core_cell() do anything? */
bool bh_core_cell_news(const struct bh_core *core, uint16_t from, uint32_t id, const struct bh_cell_body *body);
/* All cells of `from` were looked at, up to this overflow count. */
void bh_core_cells_seen(struct bh_core *core, uint16_t from, uint64_t overflow);

/* The directory of driver `slot` was begun anew: forget it. */
void bh_core_directory_reset(struct bh_core *core, uint16_t slot);
/* One record of it, copied and checked (dir.h). `choices`: their names, `len` bytes. 0, or -errno: ignored, a peer fault. */
int bh_core_directory(struct bh_core *core, uint16_t slot, const struct bh_dir_record *rec, const char *choices, size_t len);

/* What to add to the time to get the local time of day, in ns from any midnight. For displays alone: nothing is decided by it. */
void bh_core_clock(struct bh_core *core, int64_t offset_ns);

/* What is due. `wall_ns`: the true time, where the transaction's is that of a timer which is carried out late. */
void bh_core_timers(struct bh_core *core, uint64_t wall_ns);

/* ------------------------------------------------------------------ peers with new or unknown memory */

/* The generation that stands in cell `id` of our outbox to `slot`, 0 = never written. */
typedef uint32_t (*bh_core_cell_gen)(void *data, uint16_t slot, uint32_t id);

/*
 * Outbox to `slot` is new to us: compare what should stand in its cells with what does; what differs is told again by the next
 * transactions. Writes no record. A successor calls it for every peer. Without `cell_gen` it is known to be fresh.
 */
void bh_core_verify(struct bh_core *core, uint16_t slot, bh_core_cell_gen cell_gen, void *data);

/*
 * Inbox from `slot` has this epoch: if it is another than the one we know, generations and totals in it begin anew and nobody
 * touches anything. Done by the next transactions; take no event from `slot` while bh_core_is_pending().
 */
void bh_core_inbox(struct bh_core *core, uint16_t slot, uint32_t epoch);

/* Is there more to do without waiting? Then: begin, end. */
bool bh_core_is_pending(const struct bh_core *core);
/* When bh_core_timers() has something to do next; 0 = never. */
uint64_t bh_core_deadline(const struct bh_core *core);
/* Steps of all loops so far: what an event costs, for the bench. */
uint64_t bh_core_steps(const struct bh_core *core);
/* Number of the page shown, by the main group of surfaces. */
uint32_t bh_core_page(const struct bh_core *core);
/*
 * The router's own parameters, as other processes see them: row n of BH_TAB_ROOM as a directory's record, and the names of its
 * choices. 0; -ENOENT: not shown; -ERANGE: there are no more.
 */
int bh_core_room(const struct bh_core *core, uint32_t n, struct bh_dir_record *rec, const char **choices, size_t *len);

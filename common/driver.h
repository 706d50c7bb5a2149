/*
 * driver.h - what a driver is written on: one small file and the BH_DRIVER row at its end
 *
 * The skeleton gives the driver its options, signals, health, directory of parameters, resync, in-flight mark and quarantine, the
 * age limit of actions, and the cells in which its reported values survive it. Values arrive newest only; an action
 * arrives once, in order, never late, and is committed before on_action() is called.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/config/table.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/proc.h"
#include "common/units.h"
#include "shm/layout.h"

struct bh_driver;
typedef uint32_t bh_param_id; /* index in the driver's directory */

struct bh_value {
	enum bh_type type;
	union {
		double f;
		int64_t i;
		char s[BH_TEXT_MAX + 1];
	};
};

static inline struct bh_value
bh_float(double f)
{
	return (struct bh_value){.type = BH_FLOAT, .f = f};
}
static inline struct bh_value
bh_int(int64_t i)
{
	return (struct bh_value){.type = BH_INT, .i = i};
}
static inline struct bh_value
bh_bool(bool b)
{
	return (struct bh_value){.type = BH_BOOL, .i = b};
}
static inline struct bh_value
bh_enum(int64_t choice)
{
	return (struct bh_value){.type = BH_ENUM, .i = choice};
}
struct bh_value bh_text(const char *s); /* cut at BH_TEXT_MAX bytes, on a character's border */

#define BH_R (BH_ACCESS_READ)
#define BH_W (BH_ACCESS_WRITE)
#define BH_RW (BH_ACCESS_READ | BH_ACCESS_WRITE)
#define BH_METER (BH_ACCESS_READ | BH_ACCESS_METER)

/* A parameter. Static ones stand in a table that ends with { 0 }, their index is their id. */
struct bh_param {
	const char *name; /* "level", "ch1/level" */
	enum bh_type type;
	const char *unit;
	double min, max, step, def;
	enum bh_taper taper;
	uint8_t access;
	const char *const *choices; /* ENUM: NULL-terminated */
	const char *label;	    /* for a scribble strip; NULL = name */
	const char *backend_id;
};
#define BH_PARAM(n, ...) {.name = (n), __VA_ARGS__}

struct bh_action_desc {
	const char *name;
	const char *args; /* "NAME VALUE": one word an argument; NULL = none */
	const char *help;
};
#define BH_ACTION(n, ...) {.name = (n), __VA_ARGS__}

#define BH_ACTION_ARGS 6
struct bh_action {
	uint32_t id; /* index in the driver's table */
	unsigned argc;
	const char *argv[BH_ACTION_ARGS];
	uint32_t origin, gen; /* who asked, and the action's number: for bh_action_failed() */
	uint64_t stamp_ns; /* CLOCK_BOOTTIME of the press */
	uint64_t age_ns;   /* how long ago that was when the action was committed */
};

struct bh_driver_desc {
	const char *name;
	size_t state_size;
	const struct bh_cfg_field *fields;
	size_t config_size;
	struct bh_sandbox sandbox;     /* what it needs to reach its backend, and why; nothing = no socket, no device */
	const struct bh_param *params; /* static ones; may be NULL */
	const struct bh_action_desc *actions;
	uint32_t max_params; /* how many parameters it may have where the configuration does not say; 0 = 256 */
	bool resync_all; /* the backend has no memory of its own: at start every parameter that can be written is applied
			  * anew, newest of wanted and reported; else only wanted values the backend has not confirmed */
	int (*start)(struct bh_driver *drv, void *data);
	/* Resync is done: report what has not been reported. May be NULL. */
	void (*on_ready)(void *data);
	void (*stop)(void *data); /* also after a failed start */
	/* A wanted value: the newest only; also called for each parameter on resync. 0 or -errno (kept as wanted, counted). */
	int (*on_value)(void *data, bh_param_id id, const struct bh_value *v);
	/* An action: already committed and young enough; what fails here is not tried again. */
	int (*on_action)(void *data, const struct bh_action *a);
	/* New options: `config` as bh_driver_config() will return it from now on. 0 or -errno with `why`: the old ones stay. Without
	 * it no key may be marked live: any change of the options restarts the driver. */
	int (*on_config)(void *data, const void *config, char *why, size_t cap);
	/* A person asks for `sync`: what was reported is said again; ask the backend whether it is still so. May be NULL. */
	void (*on_sync)(void *data);
	/*
	 * Somebody looks at this METER now, or nobody does any more: on a page shown, in a condition, by a tool. Called from the end of
	 * start() on, in each life for those that are looked at, and when one is added that is. May be NULL: levels that nobody looks at
	 * are not sent anyway, but the backend may be spared them, too.
	 */
	void (*on_watch)(void *data, bh_param_id id, bool watched);
	/* The inboxes are empty: send what is collected. May be NULL. */
	void (*on_idle)(void *data);
};

#define BH_DRIVER(...)                                                                             \
	static const struct bh_driver_desc bh_driver_desc_ = {__VA_ARGS__};                        \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return bh_driver_main(argc, argv, &bh_driver_desc_);                               \
	}

int bh_driver_main(int argc, char **argv, const struct bh_driver_desc *desc);

const void *bh_driver_config(const struct bh_driver *drv);
struct bh_loop *bh_driver_loop(struct bh_driver *drv);
struct bh_proc *bh_driver_proc(struct bh_driver *drv);
const char *bh_driver_name(const struct bh_driver *drv);

/*
 * Parameters that are known only at run time. The same name gets the same id again, in this life and the next; one that is new gets an
 * id that nobody had, else that which is free longest. Found by its hash. Returns the id, or -ENOSPC (as many as there may be: the
 * caller says so in health).
 */
int64_t bh_param_add(struct bh_driver *drv, const struct bh_param *desc);
uint32_t bh_param_cap(const struct bh_driver *drv); /* as many as there may be */
int bh_param_remove(struct bh_driver *drv, bh_param_id id);
int bh_param_rename(struct bh_driver *drv, bh_param_id id, const struct bh_param *desc);
/*
 * When the list of parameters is complete (at start, or as soon as the backend has told it): remove all that an earlier life, or an
 * earlier configuration, has left and that were not added in this one. How many. For a new list within one life (on_config(), a new
 * connection) call bh_param_begin() first, and add them all again: the same names keep their ids.
 */
unsigned bh_param_sweep(struct bh_driver *drv);
void bh_param_begin(struct bh_driver *drv);

/* What the backend now has. Unchanged values are not sent again. 0 or -errno. */
int bh_report(struct bh_driver *drv, bh_param_id id, struct bh_value v);
/* Does anybody look at this METER; at how many of ours does somebody? What is reported of others is kept until somebody does. */
bool bh_watched(const struct bh_driver *drv, bh_param_id id);
uint32_t bh_watched_count(const struct bh_driver *drv);
/* What was wanted last, if anything was ever: 1 and the value, else 0. */
int bh_wanted(struct bh_driver *drv, bh_param_id id, struct bh_value *v);
/*
 * When that was wanted, CLOCK_BOOTTIME: the moment of the hand's move, 0 = nothing was. A router that had to begin with fresh memory
 * tells again what is not confirmed, as of that moment.
 */
uint64_t bh_wanted_stamp(struct bh_driver *drv, bh_param_id id);
/* What we reported last, in this life or an earlier one: 1 and the value, else 0. */
int bh_reported(struct bh_driver *drv, bh_param_id id, struct bh_value *v);

/*
 * What was asked for did not happen, and why, in the backend's own words: also long after on_action() or on_value() has returned. The words
 * reach the log, `monitor` and `explain` with the control that asked; its button flashes. At most BH_REASON_MAX bytes are told. An action of
 * which this was said within on_action() may end with any -errno: it is told once. What the backend has in place of a refused value is
 * for the driver to report, and is told then even if it is what was reported last.
 */
#define BH_REASON_MAX 240u
void bh_action_failed(struct bh_driver *drv, uint32_t id, uint32_t origin, uint32_t gen, const char *why, ...)
	__attribute__((format(printf, 5, 6)));
void bh_value_failed(struct bh_driver *drv, bh_param_id id, const char *why, ...) __attribute__((format(printf, 3, 4)));

/* Is there a wanted value that is newer than what was reported, and another? 1 and the value, else 0: what a hand set and the backend has not heard. */
int bh_unconfirmed(struct bh_driver *drv, bh_param_id id, struct bh_value *v);

/* How many parameters this driver may have, and how old an action may be (`params`, `max_age` of the configuration). */
uint32_t bh_driver_params(const struct bh_driver *drv);
uint64_t bh_driver_max_age_ns(const struct bh_driver *drv);

/* Health. Return 0 / the errno they were given, so that a callback can end with them. */
int bh_health_ok(struct bh_driver *drv);
int bh_health(struct bh_driver *drv, enum bh_health health, const char *hint, const char *reason, ...)
	__attribute__((format(printf, 4, 5)));
int bh_health_errno(struct bh_driver *drv, enum bh_health health, const char *what);

/* Call `fn(data)` every ms; its result is ignored. The timer is owned by the driver's loop; `*out` may be freed early. */
int bh_driver_every_ms(struct bh_driver *drv, uint32_t ms, int (*fn)(void *data), struct bh_timer **out);
/* A memory of `size` bytes at most that survives the process (zeroed once), for what cannot be rebuilt. NULL if too large. */
void *bh_driver_scratch(struct bh_driver *drv, size_t size);
/* A connected, non-blocking UDP socket, or -errno. Numeric addresses and names in /etc/hosts. */
int bh_udp_connect(const char *host, uint16_t port);

/*
 * loop - the embedded backend: a small mixer in memory, and a menu of faults
 *
 * In:    wanted levels, mutes, solos, pans, scene, transport; the actions transport, scene, store, fault
 * Out:   what the mixer has; meters while the transport plays, and until they have fallen
 * Fails: only when asked to, by the action `fault`: that is what it is for in tests. Scenes and the ledger of actions are
 *        kept in memory that survives the process; levels come back by resync, as the newest of wanted and reported.
 *
 * The ledger counts the actions that were carried out, those that came twice (the same stamp) and those that came late, so
 * that a test can tell what a person at the desk would have seen.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/driver.h"
#include "common/log.h"
#include "procs/loop/mixer.h"

BH_LOG_TOPIC("loop");

#define LEDGER_STAMPS 512

struct loop_config {
	uint32_t channels, meter_ms;
	bool meters;
};

static const struct bh_cfg_field loop_fields[] = {
	BH_CFG(struct loop_config, channels, .type = BH_CFG_U32, .def = "8", .min = "1", .max = "64",
	       .help = "number of channels of the simulated mixer"),
	BH_CFG(struct loop_config, meters, .type = BH_CFG_BOOL, .def = "true", .reload = BH_RELOAD_LIVE,
	       .help = "move the meters while the transport plays"),
	BH_CFG(struct loop_config, meter_ms, .type = BH_CFG_MS, .def = "50ms", .min = "20ms", .max = "1s",
	       .help = "time between two meter values"),
	BH_CFG_LAST,
};

/* What survives the process. */
struct loop_memory {
	uint64_t magic;
	struct mixer_scene scene[MIXER_SCENES];
	uint64_t actions, twice, late;
	uint64_t stamp[LEDGER_STAMPS];
};
#define LOOP_MAGIC 0x6c6f6f7031ull

enum loop_global { G_MAIN, G_MAIN_METER, G_SCENE, G_PLAYING, G_RECORDING, G_POSITION, G_ACTIONS, G_TWICE, G_LATE, G_COUNT };
enum loop_channel { C_LEVEL, C_MUTE, C_SOLO, C_PAN, C_METER, C_COUNT };

struct loop {
	struct bh_driver *drv; /* borrowed: outlives us */
	struct mixer mixer;
	struct loop_memory *mem; /* borrowed: scratch, or own_mem */
	struct loop_memory own_mem;
	struct bh_timer *meters; /* owned by the loop */
	bool ready; /* resync is over: before, half the mixer is not what it was, and nothing is told */
	uint32_t slow_ms;
	bh_param_id crash_param; /* dies on a value of this parameter (fault crash-on) */
	double crash_value;
	bool crash_armed, crash_is_hang;
	bh_param_id global[G_COUNT];
	bh_param_id channel[MIXER_CHANNELS][C_COUNT];
	struct {
		uint8_t what, channel; /* enum loop_channel; or G_... with channel 0xff */
	} role[BH_MAX_PARAMS];
};

enum loop_action { A_TRANSPORT, A_SCENE, A_STORE, A_MARK, A_FAULT };

static const struct bh_action_desc loop_actions[] = {
	[A_TRANSPORT] = BH_ACTION("transport", .args = "play|stop|record|toggle", .help = "run the transport"),
	[A_SCENE] = BH_ACTION("scene", .args = "NAME", .help = "call a scene up"),
	[A_STORE] = BH_ACTION("store", .args = "NAME", .help = "keep levels and mutes as a scene"),
	[A_MARK] = BH_ACTION("mark", .help = "do nothing but count in the ledger"),
	[A_FAULT] = BH_ACTION("fault", .args = "KIND",
			      .help = "fail on purpose: crash abort exit hang spin leak scribble open, eat MB, slow MS, busy LIMIT MS, crash-on PARAM VALUE, hang-on PARAM VALUE, none"),
	{0},
};

/* ------------------------------------------------------------------ what the mixer has, told */

static void
tell_channel(struct loop *l, unsigned k)
{
	const struct mixer_channel *c = &l->mixer.ch[k];
	if (!l->ready)
		return;
	bh_report(l->drv, l->channel[k][C_LEVEL], bh_float(c->level_db));
	bh_report(l->drv, l->channel[k][C_MUTE], bh_bool(c->mute));
	bh_report(l->drv, l->channel[k][C_SOLO], bh_bool(c->solo));
	bh_report(l->drv, l->channel[k][C_PAN], bh_float(c->pan));
}

static void
tell_meters(struct loop *l)
{
	for (unsigned k = 0; k < l->mixer.channels; k++)
		bh_report(l->drv, l->channel[k][C_METER], bh_float(l->mixer.ch[k].meter_db));
	bh_report(l->drv, l->global[G_MAIN_METER], bh_float(l->mixer.main_meter_db));
	bh_report(l->drv, l->global[G_POSITION], bh_int((int64_t)(l->mixer.position_ms / 1000)));
}

static void
tell_globals(struct loop *l)
{
	if (!l->ready)
		return;
	bh_report(l->drv, l->global[G_MAIN], bh_float(l->mixer.main_db));
	bh_report(l->drv, l->global[G_SCENE], bh_enum(l->mixer.current));
	bh_report(l->drv, l->global[G_PLAYING], bh_bool(l->mixer.playing));
	bh_report(l->drv, l->global[G_RECORDING], bh_bool(l->mixer.recording));
	bh_report(l->drv, l->global[G_ACTIONS], bh_int((int64_t)l->mem->actions));
	bh_report(l->drv, l->global[G_TWICE], bh_int((int64_t)l->mem->twice));
	bh_report(l->drv, l->global[G_LATE], bh_int((int64_t)l->mem->late));
}

/* ------------------------------------------------------------------ meters: a timer only while something moves */

static bool
meters_have_fallen(const struct loop *l)
{
	for (unsigned k = 0; k < l->mixer.channels; k++)
		if (l->mixer.ch[k].meter_db > MIXER_MIN_DB)
			return false;
	return l->mixer.main_meter_db <= MIXER_MIN_DB;
}

static void
on_meters(void *data)
{
	struct loop *l = data;
	const struct loop_config *cfg = bh_driver_config(l->drv);
	mixer_advance(&l->mixer, cfg->meter_ms);
	tell_meters(l);
	if (!l->mixer.playing && meters_have_fallen(l))
		bh_timer_at(l->meters, 0, 0);
}

static void
meters_start(struct loop *l, const struct loop_config *cfg)
{
	uint64_t period = cfg->meter_ms * BH_NS_PER_MS;
	if (cfg->meters && l->mixer.playing && !bh_timer_armed(l->meters))
		bh_timer_at(l->meters, bh_mono_ns() + period, period);
}

/* ------------------------------------------------------------------ faults */

static void
fault_scribble(struct loop *l)
{
	/* All memory that this process can write and others read: what a wild pointer would hit. */
	struct bh_proc *p = bh_driver_proc(l->drv);
	struct bh_peer *router = bh_proc_router(p);
	uint32_t x = 0x5eed;
	struct bh_seg *segs[] = {&p->params_seg, &p->self_seg, router && router->has_out ? &router->out.seg : NULL};
	for (unsigned i = 0; i < BH_ARRAY_LEN(segs); i++)
		for (size_t at = sizeof(struct bh_seg_header); segs[i] && at < segs[i]->size; at++) {
			x = x * 1664525u + 1013904223u;
			segs[i]->base[at] = (uint8_t)(x >> 24);
		}
	abort();
}

static void
fault_wild_pointer(void)
{
	int *nowhere = NULL;
	__asm__ volatile("" : "+r"(nowhere));
	*nowhere = 1;
}

static int
fault_leak(void)
{
	size_t size = 64u << 20;
	char *p = malloc(size);
	if (p)
		memset(p, 1, size);
	__asm__ volatile("" : : "r"(p) : "memory");
	return 0;
}

static int64_t
param_by_name(struct loop *l, const char *name)
{
	for (uint32_t n = 0; n < bh_dir_count(&bh_driver_proc(l->drv)->dir); n++) {
		struct bh_dir_record r;
		if (bh_dir_read(&bh_driver_proc(l->drv)->dir, n, &r) == 0 && !strcmp(r.name, name))
			return r.index;
	}
	return -ENOENT;
}

static int
fault_crash_on(struct loop *l, const struct bh_action *a, bool hang)
{
	int64_t id = a->argc > 1 ? param_by_name(l, a->argv[1]) : -ENOENT;
	if (id < 0)
		return -ENOENT;
	l->crash_param = (bh_param_id)id;
	l->crash_value = a->argc > 2 ? strtod(a->argv[2], NULL) : 0;
	l->crash_armed = true;
	l->crash_is_hang = hang;
	return 0;
}

static void
fault_hang(void)
{
	for (;;)
		pause();
}

/* A call that takes MS, and was said to take LIMIT at most. */
static int
fault_busy(struct loop *l, const struct bh_action *a)
{
	uint32_t limit_ms = a->argc > 1 ? (uint32_t)strtoul(a->argv[1], NULL, 10) : 0;
	uint32_t ms = a->argc > 2 ? (uint32_t)strtoul(a->argv[2], NULL, 10) : 0;
	bh_proc_busy(bh_driver_proc(l->drv), limit_ms);
	usleep(ms * 1000);
	bh_proc_busy(bh_driver_proc(l->drv), 0);
	return 0;
}

/* Small pieces, as leaks are, until there are MB of them or no more are to be had; who then goes on without looking dies of it. */
static int
fault_eat(size_t mb)
{
	for (size_t i = 0; i < mb * 1024; i++) {
		char *p = malloc(1024);
		*(volatile char *)p = 1;
	}
	return 0;
}

/* Descriptors, as many as there are. */
static int
fault_open(void)
{
	while (dup(STDERR_FILENO) >= 0)
		;
	return 0;
}

static int
fault(struct loop *l, const struct bh_action *a)
{
	const char *kind = a->argc ? a->argv[0] : "";
	bh_warn("fault asked for: %s", kind);
	if (!strcmp(kind, "crash"))
		fault_wild_pointer();
	if (!strcmp(kind, "abort"))
		abort();
	if (!strcmp(kind, "exit"))
		_exit(3);
	if (!strcmp(kind, "hang"))
		fault_hang();
	if (!strcmp(kind, "spin"))
		for (;;)
			__asm__ volatile("");
	if (!strcmp(kind, "leak"))
		return fault_leak();
	if (!strcmp(kind, "scribble"))
		fault_scribble(l);
	if (!strcmp(kind, "crash-on"))
		return fault_crash_on(l, a, false);
	if (!strcmp(kind, "hang-on"))
		return fault_crash_on(l, a, true);
	if (!strcmp(kind, "busy"))
		return fault_busy(l, a);
	if (!strcmp(kind, "eat"))
		return fault_eat(a->argc > 1 ? strtoul(a->argv[1], NULL, 10) : SIZE_MAX / 1024);
	if (!strcmp(kind, "open"))
		return fault_open();
	if (!strcmp(kind, "slow")) {
		l->slow_ms = a->argc > 1 ? (uint32_t)strtoul(a->argv[1], NULL, 10) : 20;
		return 0;
	}
	if (!strcmp(kind, "none")) {
		l->slow_ms = 0;
		l->crash_armed = false;
		return 0;
	}
	return -EINVAL;
}

/* ------------------------------------------------------------------ values and actions */

static void
global_value(struct loop *l, unsigned what, const struct bh_value *v)
{
	if (what == G_MAIN)
		l->mixer.main_db = v->f;
	else if (what == G_SCENE)
		mixer_recall(&l->mixer, (unsigned)v->i);
	else if (what == G_PLAYING)
		l->mixer.playing = v->i;
	else if (what == G_RECORDING)
		l->mixer.recording = v->i;
	if (what == G_SCENE)
		for (unsigned k = 0; k < l->mixer.channels; k++)
			tell_channel(l, k);
	tell_globals(l);
	meters_start(l, bh_driver_config(l->drv));
}

static void
channel_value(struct loop *l, unsigned k, unsigned what, const struct bh_value *v)
{
	struct mixer_channel *c = &l->mixer.ch[k];
	if (what == C_LEVEL)
		c->level_db = v->f;
	else if (what == C_MUTE)
		c->mute = v->i;
	else if (what == C_SOLO)
		c->solo = v->i;
	else if (what == C_PAN)
		c->pan = v->f;
	tell_channel(l, k);
}

static int
loop_on_value(void *data, bh_param_id id, const struct bh_value *v)
{
	struct loop *l = data;
	if (l->crash_armed && id == l->crash_param && (v->type == BH_FLOAT ? v->f : (double)v->i) == l->crash_value) {
		if (l->crash_is_hang)
			fault_hang();
		abort();
	}
	if (l->slow_ms)
		usleep(l->slow_ms * 1000);
	if (l->role[id].channel == 0xff)
		global_value(l, l->role[id].what, v);
	else
		channel_value(l, l->role[id].channel, l->role[id].what, v);
	return 0;
}

static int
scene_number(const char *name)
{
	for (int k = 0; mixer_scene_names[k]; k++)
		if (!strcasecmp(mixer_scene_names[k], name))
			return k;
	return -1;
}

static int
transport(struct loop *l, const char *what)
{
	struct mixer *m = &l->mixer;
	if (!strcmp(what, "play"))
		m->playing = true;
	else if (!strcmp(what, "stop"))
		m->playing = m->recording = false;
	else if (!strcmp(what, "record"))
		m->playing = m->recording = true;
	else if (!strcmp(what, "toggle"))
		m->playing = !m->playing;
	else
		return -EINVAL;
	meters_start(l, bh_driver_config(l->drv));
	return 0;
}

static void
ledger_enter(struct loop *l, const struct bh_action *a)
{
	struct loop_memory *mem = l->mem;
	/* Two desks may have read at the same nanosecond. */
	uint64_t stamp = a->stamp_ns + ((uint64_t)a->origin << 32);
	for (unsigned i = 0; i < LEDGER_STAMPS; i++)
		if (mem->stamp[i] == stamp)
			mem->twice++;
	mem->stamp[mem->actions % LEDGER_STAMPS] = stamp;
	mem->actions++;
	if (a->age_ns > 250 * BH_NS_PER_MS)
		mem->late++;
}

static int
loop_on_action(void *data, const struct bh_action *a)
{
	struct loop *l = data;
	const char *arg = a->argc ? a->argv[0] : "";
	int r = 0;
	ledger_enter(l, a);
	switch ((enum loop_action)a->id) {
	case A_TRANSPORT: r = transport(l, arg); break;
	case A_SCENE:
	case A_STORE: {
		int k = scene_number(arg);
		if (k < 0) {
			bh_action_failed(l->drv, a->id, a->origin, a->gen, "there is no scene \"%s\"", arg);
			return -EINVAL;
		}
		if (a->id == A_SCENE)
			mixer_recall(&l->mixer, (unsigned)k);
		else
			mixer_store(&l->mixer, (unsigned)k);
		memcpy(l->mem->scene, l->mixer.scene, sizeof(l->mem->scene));
		break;
	}
	case A_MARK: break;
	case A_FAULT: r = fault(l, a); break;
	}
	for (unsigned k = 0; k < l->mixer.channels; k++)
		tell_channel(l, k);
	tell_globals(l);
	return r;
}

/* ------------------------------------------------------------------ start */

static int
add(struct loop *l, uint8_t what, uint8_t channel, bh_param_id *out, const struct bh_param *d)
{
	int64_t id = bh_param_add(l->drv, d);
	if (id < 0) {
		bh_health(l->drv, BH_HEALTH_BAD_CONFIG, "raise `params` of this driver in the configuration",
			  "no room for parameter %s", d->name);
		return (int)id;
	}
	*out = (bh_param_id)id;
	l->role[id].what = what;
	l->role[id].channel = channel;
	return 0;
}

static int
add_globals(struct loop *l)
{
	const struct bh_param p[G_COUNT] = {
		[G_MAIN] = BH_PARAM("main/level", .type = BH_FLOAT, .unit = "dB", .min = MIXER_MIN_DB, .max = MIXER_MAX_DB,
				    .taper = BH_TAPER_FADER_DB, .access = BH_RW, .label = "Main"),
		[G_MAIN_METER] = BH_PARAM("main/meter", .type = BH_FLOAT, .unit = "dB", .min = MIXER_MIN_DB, .max = MIXER_MAX_DB,
					  .taper = BH_TAPER_FADER_DB, .access = BH_METER, .label = "Main"),
		[G_SCENE] = BH_PARAM("scene", .type = BH_ENUM, .max = MIXER_SCENES - 1, .access = BH_RW,
				     .choices = mixer_scene_names, .label = "Scene"),
		[G_PLAYING] = BH_PARAM("transport/playing", .type = BH_BOOL, .max = 1, .access = BH_RW, .label = "Play"),
		[G_RECORDING] = BH_PARAM("transport/recording", .type = BH_BOOL, .max = 1, .access = BH_RW, .label = "Rec"),
		[G_POSITION] = BH_PARAM("transport/position", .type = BH_INT, .unit = "s", .max = 359999, .access = BH_R,
					.label = "Time"),
		[G_ACTIONS] = BH_PARAM("ledger/actions", .type = BH_INT, .access = BH_R),
		[G_TWICE] = BH_PARAM("ledger/twice", .type = BH_INT, .access = BH_R),
		[G_LATE] = BH_PARAM("ledger/late", .type = BH_INT, .access = BH_R),
	};
	int r = 0;
	for (uint8_t g = 0; g < G_COUNT && r == 0; g++)
		r = add(l, g, 0xff, &l->global[g], &p[g]);
	return r;
}

static int
add_channel(struct loop *l, uint8_t k)
{
	static const char *const names[C_COUNT] = {"level", "mute", "solo", "pan", "meter"};
	char name[C_COUNT][32], label[16];
	int r = 0;
	for (unsigned i = 0; i < C_COUNT; i++)
		snprintf(name[i], sizeof(name[i]), "ch%u/%s", k + 1u, names[i]);
	snprintf(label, sizeof(label), "Ch %u", k + 1u);
	const struct bh_param p[C_COUNT] = {
		[C_LEVEL] = BH_PARAM(name[C_LEVEL], .type = BH_FLOAT, .unit = "dB", .min = MIXER_MIN_DB, .max = MIXER_MAX_DB,
				     .taper = BH_TAPER_FADER_DB, .access = BH_RW, .label = label),
		[C_MUTE] = BH_PARAM(name[C_MUTE], .type = BH_BOOL, .max = 1, .access = BH_RW, .label = label),
		[C_SOLO] = BH_PARAM(name[C_SOLO], .type = BH_BOOL, .max = 1, .access = BH_RW, .label = label),
		[C_PAN] = BH_PARAM(name[C_PAN], .type = BH_FLOAT, .min = -1, .max = 1, .step = 0.02, .access = BH_RW,
				   .label = label),
		[C_METER] = BH_PARAM(name[C_METER], .type = BH_FLOAT, .unit = "dB", .min = MIXER_MIN_DB, .max = MIXER_MAX_DB,
				     .taper = BH_TAPER_FADER_DB, .access = BH_METER, .label = label),
	};
	for (uint8_t c = 0; c < C_COUNT && r == 0; c++)
		r = add(l, c, k, &l->channel[k][c], &p[c]);
	return r;
}

static void
recall_memory(struct loop *l)
{
	l->mem = bh_driver_scratch(l->drv, sizeof(*l->mem));
	if (!l->mem)
		l->mem = &l->own_mem;
	if (l->mem->magic != LOOP_MAGIC)
		memset(l->mem, 0, sizeof(*l->mem));
	l->mem->magic = LOOP_MAGIC;
	memcpy(l->mixer.scene, l->mem->scene, sizeof(l->mixer.scene));
}

/* The position of the transport and the scene's number are the mixer's own: they come back as they were reported. */
static void
recall_reported(struct loop *l)
{
	struct bh_value v;
	if (bh_reported(l->drv, l->global[G_POSITION], &v))
		l->mixer.position_ms = (uint64_t)v.i * 1000;
	if (bh_reported(l->drv, l->global[G_SCENE], &v))
		l->mixer.current = (unsigned)v.i % MIXER_SCENES;
}

static int
loop_start(struct bh_driver *drv, void *data)
{
	const struct loop_config *cfg = bh_driver_config(drv);
	struct loop *l = data;
	int r;
	l->drv = drv;
	mixer_init(&l->mixer, cfg->channels);
	recall_memory(l);
	r = add_globals(l);
	for (uint8_t k = 0; r == 0 && k < l->mixer.channels; k++)
		r = add_channel(l, k);
	if (r < 0)
		return r;
	bh_param_sweep(drv); /* channels of a life that had more */
	recall_reported(l);
	l->meters = bh_timer_new(bh_driver_loop(drv), on_meters, l);
	return l->meters ? 0 : -ENOMEM;
}

/* After resync: say what is still unsaid. */
static void
loop_on_ready(void *data)
{
	struct loop *l = data;
	l->ready = true;
	for (unsigned k = 0; k < l->mixer.channels; k++)
		tell_channel(l, k);
	tell_globals(l);
	tell_meters(l);
	meters_start(l, bh_driver_config(l->drv));
}

static int
loop_on_config(void *data, const void *config, char *why, size_t cap)
{
	struct loop *l = data;
	const struct loop_config *cfg = config;
	(void)why, (void)cap;
	if (!cfg->meters)
		bh_timer_at(l->meters, 0, 0);
	else
		meters_start(l, cfg); /* the one in use is still the old one */
	return 0;
}

BH_DRIVER(.name = "loop", .state_size = sizeof(struct loop), .fields = loop_fields,
	  .config_size = sizeof(struct loop_config), .actions = loop_actions, .resync_all = true, .start = loop_start,
	  .on_ready = loop_on_ready, .on_value = loop_on_value, .on_action = loop_on_action, .on_config = loop_on_config)

/* router_room.c - see router_room.h */
#include "tests/lib/router_room.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "shm/latch.h"

#define MS 1000000ull

const uint16_t room_slots[ROOM_PEERS] = {BH_SLOT_SUPERVISOR, BH_SLOT_CONTROL, BH_SLOT_STORE, RIG_DESK, RIG_MIX};

static void
add_params(struct room *m)
{
	static const struct {
		const char *name;
		uint8_t type, taper, access;
		double min, max;
	} params[] = {
		{"ch1/level", BH_FLOAT, BH_TAPER_FADER_DB, 3, -100, 10}, {"ch2/level", BH_FLOAT, BH_TAPER_FADER_DB, 3, -100, 10},
		{"ch1/mute", BH_BOOL, 0, 3, 0, 1},			 {"ch1/pan", BH_FLOAT, 0, 3, -1, 1},
		{"scene", BH_ENUM, 0, 3, 0, 2},				 {"ch1/meter", BH_FLOAT, 0, 5, 0, 1},
		{"recording", BH_BOOL, 0, 1, 0, 1},			 {"ch3/level", BH_FLOAT, BH_TAPER_FADER_DB, 3, -100, 10},
		{"title", BH_TEXT, 0, 3, 0, 0},				 {"room", BH_FLOAT, 0, 11, 0, 100},
	};
	for (uint32_t k = 0; k < sizeof(params) / sizeof(params[0]); k++) {
		struct bh_dir_record d = {.index = k, .gen = 1, .type = params[k].type, .taper = params[k].taper,
					  .access = params[k].access, .min = params[k].min, .max = params[k].max,
					  .was = 0xffffffff, .choices = k == 4 ? 3 : 0};
		strcpy(d.name, params[k].name);
		strcpy(d.unit, params[k].taper == BH_TAPER_FADER_DB ? "dB" : "");
		ck_assert_int_ge(bh_dir_append(&m->dir, &d, k == 4 ? "Day\0Night\0Off" : NULL, k == 4 ? 14 : 0), 0);
	}
}

void
room_refresh(struct room *m, unsigned peer, uint32_t out_slots, uint32_t epoch)
{
	uint16_t s = room_slots[peer];
	uint32_t cells = peer == ROOM_DESK ? 256 : peer == ROOM_MIX ? 64 : 0;
	struct bh_self *self = bh_seg_section(&m->peer_seg[peer], BH_SEC_SELF, sizeof(*self), NULL);
	if (m->producer[peer].head)
		bh_outbox_detach(&m->producer[peer]);
	ck_assert_int_eq(bh_seg_create_outbox(&m->in[peer], "peer>router", s, BH_SLOT_ROUTER, epoch, 256, cells), 0);
	ck_assert_int_eq(bh_seg_create_outbox(&m->out[peer], "router>peer", BH_SLOT_ROUTER, s, epoch, out_slots, cells), 0);
	ck_assert_int_eq(bh_outbox_attach(&m->producer[peer], m->in[peer].rw, self, m->router, -1), 0);
}

struct room *
room_new(uint32_t out_slots)
{
	struct room *m = calloc(1, sizeof(*m));
	struct bh_seg params = {0};
	ck_assert_int_eq(bh_seg_create_self(&m->self, "router.self", BH_SLOT_ROUTER, 1), 0);
	ck_assert_int_eq(bh_seg_create_state(&m->state, "router.state", BH_SLOT_ROUTER, 1, RIG_RECORDS), 0);
	ck_assert_int_eq(bh_seg_create_private(&m->priv, "router.private", BH_SLOT_ROUTER, 1, 512 << 10, 0, 0), 0);
	ck_assert_int_eq(bh_seg_create_params(&m->params, "mix.params", RIG_MIX, 1, 64, 4096), 0);
	ck_assert_int_eq(bh_seg_map(&params, m->params.rw, BH_SEG_PARAMS, true), 0);
	ck_assert_int_eq(bh_seg_map(&m->self_seg, m->self.ro, BH_SEG_SELF, false), 0);
	ck_assert_int_eq(bh_seg_map(&m->state_seg, m->state.ro, BH_SEG_STATE, false), 0);
	ck_assert_int_eq(bh_dir_attach(&m->dir, &params), 0);
	add_params(m);
	m->router = bh_seg_section(&m->self_seg, BH_SEC_SELF, sizeof(*m->router), NULL);
	for (unsigned k = 0; k < ROOM_PEERS; k++) {
		ck_assert_int_eq(bh_seg_create_self(&m->peer_self[k], "peer.self", room_slots[k], 1), 0);
		ck_assert_int_eq(bh_seg_map(&m->peer_seg[k], m->peer_self[k].rw, BH_SEG_SELF, true), 0);
		room_refresh(m, k, out_slots, 2);
	}
	m->config_fd = rig_config();
	m->now_ns = 1000000 * MS;
	return m;
}

void
say(struct room *m, unsigned peer, struct bh_event ev)
{
	ev.stamp_ns = m->now_ns ? m->now_ns : bh_now_ns();
	if (ev.kind == BH_EV_TOUCH)
		m->touched = ev.v.i;
	uint16_t flags = peer == ROOM_DESK && ev.id == RIG_FADER1 && m->touched ? BH_CELL_TOUCHED : 0;
	ck_assert_int_ge(bh_outbox_put(&m->producer[peer], &ev, NULL, flags), 0);
	bh_outbox_flush(&m->producer[peer]);
	m->now_ns += m->now_ns ? MS : 0;
}

void
say_request(struct room *m, uint32_t what, uint16_t slot, uint32_t index, double x, const char *text)
{
	struct bh_request_args a = {.slot = slot, .index = index, .type = BH_FLOAT, .v.f = x};
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = what, .total = 7,
			      .stamp_ns = m->now_ns ? m->now_ns : bh_now_ns()};
	if (text) {
		a.text_len = (uint32_t)strlen(text) + 1;
		strcpy(a.text, text);
	}
	ck_assert_int_eq(bh_outbox_send(&m->producer[ROOM_CONTROL], &ev, &a, sizeof(a)), 0);
	bh_outbox_flush(&m->producer[ROOM_CONTROL]);
	m->now_ns += m->now_ns ? MS : 0;
}

const char room_long_args[160] =
	"a scene with a name that is rather long, as they are in the houses where several shows are prepared beside each "
	"other and everybody wants his own again";

int
room_record(const struct room *m, uint32_t rec, void *data)
{
	uint32_t count, gen;
	const struct bh_record *r = bh_seg_section(&m->state_seg, BH_SEC_RECORDS, sizeof(*r), &count);
	return rec < count ? bh_record_read(&r[rec], &gen, data) : 0;
}

int
room_cell(const struct room *m, unsigned peer, uint32_t id, struct bh_cell_body *body)
{
	struct bh_inbox in;
	struct bh_self cursor = {.pid = 0};
	ck_assert_int_eq(bh_inbox_attach(&in, m->out[peer].ro, &cursor, BH_SLOT_ROUTER), 0);
	int r = bh_inbox_cell(&in, id, body);
	bh_inbox_detach(&in);
	return r;
}

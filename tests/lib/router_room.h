/*
 * router_room.h - everything around a router: its segments, and the peers it talks to, played by the test
 *
 * Desk and mixer are those of core_rig.h. The test holds the writing end of every ring towards the router and reads what comes
 * back; the router itself is a life of the engine in the test, or the real bh-router.
 */
#pragma once

#include "common/records.h"
#include "common/request.h"
#include "shm/dir.h"
#include "shm/outbox.h"
#include "tests/lib/core_rig.h"

enum { ROOM_SUPERVISOR, ROOM_CONTROL, ROOM_STORE, ROOM_DESK, ROOM_MIX, ROOM_PEERS };
extern const uint16_t room_slots[ROOM_PEERS];

struct room {
	struct bh_seg_fds self, state, priv, params, in[ROOM_PEERS], out[ROOM_PEERS], peer_self[ROOM_PEERS];
	int config_fd;
	struct bh_seg peer_seg[ROOM_PEERS], state_seg, self_seg;
	struct bh_outbox producer[ROOM_PEERS]; /* they speak to the router */
	struct bh_dir dir;
	const struct bh_self *router;
	bool touched;	 /* RIG_FADER1 */
	uint64_t now_ns; /* stamp of the next event; every event takes a millisecond. 0 = the real clock */
};

/* `out_slots`: of the router's rings to its peers, which nobody consumes unless the test does. */
struct room *room_new(uint32_t out_slots);
/* Fresh rings between a peer and the router, as after a death that spoilt them. */
void room_refresh(struct room *m, unsigned peer, uint32_t out_slots, uint32_t epoch);

void say(struct room *m, unsigned peer, struct bh_event ev);
void say_request(struct room *m, uint32_t what, uint16_t slot, uint32_t index, double x, const char *text);
extern const char room_long_args[160];

/* A record of the router's state: 1 and the data. */
int room_record(const struct room *m, uint32_t rec, void *data);
/* The cell that the router wrote for a peer: 1 and the body. */
int room_cell(const struct room *m, unsigned peer, uint32_t id, struct bh_cell_body *body);

/*
 * queue.h - requests on their way to OBS: what waits, what is in flight, what came back
 *
 * Pure: time is an argument, bytes go into the caller's buffer.
 *
 *   value   of a parameter: the newest only. At most one in flight for each parameter (OBS handles the messages of one
 *           connection on several threads: two in flight may arrive in either order); what moves meanwhile is conflated. Those that
 *           wait go out in the order in which they began to wait.
 *   show    what changes the programme (program, preview, transition, T-bar, studio mode, and every action): one lane, strictly in the
 *           order in which it was asked for, one in flight. Values of the same parameter that stand next to each other there are
 *           conflated, never across something else: "preview A, cut, preview B" stays so; so each is written when it is
 *           asked for, not when it is sent. Each has a last moment: what cannot be sent by then is dropped and told, never sent late; with
 *           it goes all that stands behind it ("preview A" too late: then the cut that was to follow must not happen either).
 *   read    our own questions, first come, first served, behind all others
 *
 * Together at most OBS_IN_FLIGHT requests are unanswered, the last of which is kept for a show. So however slow OBS is, what waits is bounded: a value per
 * parameter, OBS_SHOW_MAX shows, OBS_READ_MAX reads.
 *
 * The books: every value given is, in the end, sent, conflated, too late, or lost with the connection; every request sent is
 * answered, or expired, or lost with the connection. obs_queue_balanced() says whether they agree.
 *
 * A parameter belongs to one of the lanes value and show. `dropped` may ask for more (value, begin, commit); the encoder may not.
 */
#pragma once

#include "procs/obs/proto.h"
#include "shm/layout.h"

#define OBS_IN_FLIGHT 32u
#define OBS_SHOW_MAX 32u
#define OBS_READ_MAX 128u
#define OBS_BODY_MAX 1400u	  /* bytes of one request that waits as bytes; batches go past the queue */
#define OBS_ID_MAX 0x3fffffffu	  /* ids of the queue are not above; those above are for batches that go past it */
#define OBS_ANSWER_MS 5000u	  /* no answer for so long: it is given up, its lane goes on */

enum obs_lane { OBS_LANE_VALUE, OBS_LANE_SHOW, OBS_LANE_READ };

/* A request from the moment it is asked for until its answer. */
struct obs_ask {
	enum obs_req req;
	enum obs_lane lane;
	bool is_value, is_action;
	uint32_t param;		/* is_value: the parameter */
	uint32_t action, origin, gen; /* is_action: as in struct bh_action */
	uint32_t ref;		/* the asker's own: an object, a step of a sequence */
	uint64_t asked_ns, sent_ns; /* CLOCK_BOOTTIME */
	uint64_t until_ns;	/* SHOW: not to be sent after this; 0 = no limit */
};

struct obs_queue_counts {
	uint64_t values;	/* given */
	uint64_t conflated;	/* replaced by a newer one before they were sent */
	uint64_t sent, answered, expired; /* requests, of all lanes */
	uint64_t sent_values;
	uint64_t refused;	/* answered, but not ok */
	uint64_t late;		/* shows that were not sent because their moment had passed, or that of one before them */
	uint64_t full;		/* shows and reads for which there was no room */
	uint64_t late_values;	/* of `late` and what went with it: values */
	uint64_t lost_values, lost; /* with a connection: values that waited, and those that could not be written; requests in flight */
	uint32_t in_flight, in_flight_most;
};

struct obs_queue; /* owned by who made it; all memory is taken at the start */

/*
 * Writes the request for the newest wanted value of a parameter into `o` under `id` and names it in `ask->req`. Called at the moment of
 * sending; for a show at the moment of asking. 0, or -errno: nothing is sent and the value counts as lost (what it was for is gone).
 */
typedef int (*obs_encode_fn)(void *data, uint32_t param, uint32_t id, struct obs_out *o, struct obs_ask *ask);

struct obs_queue *obs_queue_new(uint32_t params, obs_encode_fn encode, void *data);
void obs_queue_free(struct obs_queue *q);
/*
 * Parameters that OBS reads, changes and writes back as a whole (position and scale of an item): of those with the same
 * `group`, which is the number of any one of them, only one value is in flight at a time, or one might undo the other. param = group: by itself, as all are at
 * first.
 */
void obs_queue_group(struct obs_queue *q, uint32_t param, uint32_t group);

/*
 * A new wanted value of `param`; which, the encoder knows. SHOW: in its lane, with a last moment. 0, -ENOSPC (the lane is full), or what the
 * encoder of a show has said (an older value of it at the end of the lane is gone then, too). -EINVAL: no such parameter.
 */
int obs_queue_value(struct obs_queue *q, uint32_t param, uint64_t now_ns);
int obs_queue_show_value(struct obs_queue *q, uint32_t param, uint64_t now_ns, uint64_t until_ns);
/*
 * A request as bytes. Begin gives the place to write it to and its id: obs_put_request(o, id, ...); commit puts it in line as `ask` says
 * (lane SHOW or READ; asked_ns 0 = now). NULL: no room, counted. What is begun and not committed is forgotten; what is not whole is
 * refused by commit with -EMSGSIZE.
 */
struct obs_out *obs_queue_begin(struct obs_queue *q, enum obs_lane lane, uint32_t *id);
int obs_queue_commit(struct obs_queue *q, const struct obs_ask *ask, uint64_t now_ns);

/*
 * The next message that may go out now: 1 and its bytes (borrowed until the next call) and what it is; it counts as sent. 0 = none. `dropped` is called for each
 * show whose moment has passed.
 */
typedef void (*obs_dropped_fn)(void *data, const struct obs_ask *ask);
int obs_queue_next(struct obs_queue *q, uint64_t now_ns, const uint8_t **bytes, size_t *len, struct obs_ask *ask, obs_dropped_fn dropped);
/* An answer came: 1 and what it was, 0 = none of ours waits under this id. */
int obs_queue_answer(struct obs_queue *q, uint32_t id, bool ok, uint64_t now_ns, struct obs_ask *ask);
/* Is this parameter on its way or waiting? Then what OBS reports of it is older than what the hand wants. */
bool obs_queue_is_busy(const struct obs_queue *q, uint32_t param);
/* Give up what has had no answer for OBS_ANSWER_MS: 1 and what it was (call again), 0 = none. */
int obs_queue_expire(struct obs_queue *q, uint64_t now_ns, struct obs_ask *ask);
/* The next moment (CLOCK_BOOTTIME) at which obs_queue_next() or _expire() has something to do without an answer; 0 = none. */
uint64_t obs_queue_deadline(const struct obs_queue *q);
/* The connection has gone: all that waited or was in flight is lost; `dropped` is called for each show (sent_ns: was it in flight?). */
void obs_queue_reset(struct obs_queue *q, obs_dropped_fn dropped);

const struct obs_queue_counts *obs_queue_counts(const struct obs_queue *q);
bool obs_queue_balanced(const struct obs_queue *q);

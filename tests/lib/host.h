/*
 * host.h - one process under test, and we are its supervisor and its router
 *
 * Makes the segments, starts the real binary on its socketpair, and talks to it through the real rings. Waiting is polling for a
 * state with a deadline; what does not come fails the test with the reason.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/driver.h"
#include "shm/dir.h"
#include "shm/outbox.h"
#include "tests/lib/patience.h"

#define HOST_SLOT BH_SLOT_FIRST_FREE
#define HOST_RING 64u
#define HOST_PARAMS 256u
#define HOST_MAX_AGE_MS 5000u /* of actions: no machine is so slow that one of now is late */

struct host_dropped {
	uint32_t action, gen; /* is_value: the parameter */
	enum bh_drop why;
	bool is_value;
	char words[BH_PAYLOAD_MAX + 1];
};

struct host {
	char kind[24];
	uint32_t params; /* as many as it may have */
	pid_t pid;
	int sock; /* our end */
	struct bh_seg_fds self_fd[BH_MAX_SLOTS], to_fd, from_fd, sup_to_fd, sup_from_fd, params_fd, private_fd;
	int config_fd, options_fd, bell[2];
	int device_fd; /* kept for the next life, 0 = none */
	const struct bh_cfg_control *controls; /* of a surface; borrowed */
	unsigned controls_len;
	struct bh_seg child_self, own_self, sup_self, params_seg, private_seg;
	struct bh_self *router_self, *supervisor_self; /* we write them */
	const struct bh_self *self;		       /* the child's */
	struct bh_dir dir;
	struct bh_outbox out, sup_out;
	struct bh_inbox in, sup_in;
	struct host_dropped dropped[64];
	unsigned drops, lives;
	uint32_t action_gen;
};

/* Start bh-<kind> with options given as "key", "value", ..., NULL. Fails the test if it is not ready in 10 s. */
void host_start(struct host *h, const char *kind, ...);
/* As host_start(), with room for so many parameters. */
void host_start_large(struct host *h, const char *kind, uint32_t params, ...);
/* As host_start(), a surface with these controls (borrowed). */
void host_start_surface(struct host *h, const char *kind, const struct bh_cfg_control *controls, unsigned n, ...);
/* New options, as the supervisor hands them over on a reload. Returns what the process answers: 0 or -errno. */
int host_reload(struct host *h, ...);
/* SIGKILL and reap. A device's descriptor that it gave us to keep goes to the next life. */
void host_kill(struct host *h);
/* Start the next life on the same segments. */
void host_restart(struct host *h);
/* Start it without waiting until it is ready. */
void host_spawn(struct host *h);
bool host_wait_ready(struct host *h, unsigned ms);
/* Reap it if it dies within ms: its wait status, or -1. */
int host_wait_death(struct host *h, unsigned ms);
void host_stop(struct host *h);

/* Id of a parameter; fails the test if there is none within 5 s. */
uint32_t host_param(struct host *h, const char *name);
bool host_has_param(struct host *h, const char *name);
/* The router wants this value. Returns as bh_outbox_put(). `flush` rings. */
int host_want(struct host *h, uint32_t id, struct bh_value v, bool flush);
/* The same, of a hand that moved at this time (CLOCK_BOOTTIME). */
int host_want_at(struct host *h, uint32_t id, struct bh_value v, uint64_t stamp_ns, bool flush);
/* An action with arguments "a", "b", ..., NULL that was pressed `age_ms` ago. */
int host_act(struct host *h, uint32_t action, unsigned age_ms, ...);
void host_flush(struct host *h);
/* Take what the child tells (drops are collected). */
void host_drain(struct host *h);
/* What the child reported last: 1 and the value. */
int host_reported(struct host *h, uint32_t id, struct bh_value *v);
/* Wait until it reports this value; fails the test after ms. */
void host_expect(struct host *h, uint32_t id, struct bh_value v, unsigned ms);
uint64_t host_counter(const struct host *h, enum bh_counter c);
enum bh_health host_health(const struct host *h, char *reason, size_t cap);

/* Poll cond until it holds or ms have passed, but see patience.h. */
#define host_until(h, ms, cond)                                                                    \
	({                                                                                         \
		uint64_t until_ = bh_mono_ns() + patience_ms(ms) * BH_NS_PER_MS;                   \
		bool ok_;                                                                          \
		while (!(ok_ = (cond)) && bh_mono_ns() < until_) {                                 \
			host_drain(h);                                                             \
			usleep(500);                                                               \
		}                                                                                  \
		ok_;                                                                               \
	})

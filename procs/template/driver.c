/*
 * template - a driver to copy: a tally lamp over UDP
 *
 * In:    the wanted level; the actions flash and dark
 * Out:   one datagram per change, and one per refresh_ms as keep-alive
 * Fails: an unreachable lamp makes us DEGRADED; the newest level is kept and goes out with the next refresh. Nothing here
 *        blocks the loop or exits.
 *
 * To make your own: copy this folder, rename, and read it from the bottom up. Pure bytes belong in proto.c, which is what gets
 * fuzzed; everything with a descriptor stays here.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/driver.h"
#include "common/log.h"
#include "procs/template/proto.h"

BH_LOG_TOPIC("lamp");

struct lamp_config {
	char *host;
	uint16_t port;
	uint32_t refresh_ms;
};

static const struct bh_cfg_field lamp_fields[] = {
	BH_CFG(struct lamp_config, host, .type = BH_CFG_STR, .def = "127.0.0.1", .help = "lamp address"),
	BH_CFG(struct lamp_config, port, .type = BH_CFG_PORT, .def = "7000", .help = "UDP port of the lamp"),
	BH_CFG(struct lamp_config, refresh_ms, .type = BH_CFG_MS, .def = "1s", .min = "100ms", .max = "60s",
	       .help = "keep-alive period"),
	BH_CFG_LAST,
};

struct lamp {
	struct bh_driver *drv;	  /* borrowed: outlives us */
	struct bh_timer *refresh; /* owned */
	int fd;			  /* owned */
	double level;		  /* percent */
};

enum { LAMP_LEVEL };
enum { LAMP_FLASH, LAMP_DARK };

static const struct bh_param lamp_params[] = {
	[LAMP_LEVEL] = BH_PARAM("level", .type = BH_FLOAT, .unit = "%", .min = 0, .max = 100, .access = BH_RW, .label = "Lamp"),
	{0},
};

static const struct bh_action_desc lamp_actions[] = {
	[LAMP_FLASH] = BH_ACTION("flash", .help = "full level"),
	[LAMP_DARK] = BH_ACTION("dark", .help = "level 0"),
	{0},
};

static int
lamp_send(void *data)
{
	struct lamp *l = data;
	uint8_t pkt[LAMP_PACKET];
	size_t len = lamp_encode(pkt, l->level);
	/* A lamp that went away is told by the send after the one that failed: the error of the first comes back then. */
	if (send(l->fd, pkt, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return bh_health_errno(l->drv, BH_HEALTH_DEGRADED, "the lamp does not answer");
	bh_report(l->drv, LAMP_LEVEL, bh_float(l->level)); /* what the backend now has */
	return bh_health_ok(l->drv);
}

/* A wanted value: the newest only; also called for each parameter on resync. */
static int
lamp_on_value(void *data, bh_param_id id, const struct bh_value *v)
{
	struct lamp *l = data;
	(void)id;
	l->level = v->f;
	return lamp_send(l);
}

/* An action: already committed and young enough; what fails here is not tried again. */
static int
lamp_on_action(void *data, const struct bh_action *a)
{
	struct lamp *l = data;
	l->level = a->id == LAMP_FLASH ? 100 : 0;
	return lamp_send(l);
}

static int
lamp_start(struct bh_driver *drv, void *data)
{
	const struct lamp_config *cfg = bh_driver_config(drv);
	struct lamp *l = data;
	l->drv = drv;
	l->fd = bh_udp_connect(cfg->host, cfg->port);
	if (l->fd < 0) {
		bh_health(drv, BH_HEALTH_BAD_CONFIG, "check `host` in the configuration", "no such address: %s", cfg->host);
		return l->fd; /* lamp_stop() also runs after a failed start */
	}
	return bh_driver_every_ms(drv, cfg->refresh_ms, lamp_send, &l->refresh);
}

static void
lamp_stop(void *data)
{
	struct lamp *l = data;
	bh_timer_free(l->refresh); /* NULL is fine */
	bh_close(&l->fd);	   /* as is -1, or a negative errno */
}

static void
lamp_sandbox(struct bh_sandbox_plan *plan, const void *config)
{
	const struct lamp_config *cfg = config;
	bh_sandbox_host(plan, cfg->host);
}

BH_DRIVER(.name = "template", .state_size = sizeof(struct lamp), .fields = lamp_fields,
	  .config_size = sizeof(struct lamp_config), .sandbox = {.line = {{BH_MAY_UDP, NULL, "the lamp listens to datagrams"},
			       {BH_MAY_READ, NULL, "where names of hosts are looked up; not if host is a number"}}, .configured = lamp_sandbox}, .params = lamp_params, .actions = lamp_actions, .resync_all = true,
	  .start = lamp_start, .on_value = lamp_on_value, .on_action = lamp_on_action, .stop = lamp_stop)

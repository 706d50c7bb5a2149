/* options.c - the configuration table of bh-obs, and what a table cannot check */
#include "procs/obs/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIVE .reload = BH_RELOAD_LIVE

static const struct bh_cfg_field camera_fields[] = {
	BH_CFG(struct obs_camera_config, id, .type = BH_CFG_STR,
	       .help = "name of the camera, as bindings and actions use it"),
	BH_CFG(struct obs_camera_config, scene, .type = BH_CFG_STR,
	       .help = "scene of OBS that shows this camera alone"),
	BH_CFG(struct obs_camera_config, source, .type = BH_CFG_STR,
	       .help = "source in that scene that is panned and zoomed"),
	BH_CFG(struct obs_camera_config, split_source, .type = BH_CFG_STR, .def = "",
	       .help = "source that shows it in the split scenes; empty: it is in none"),
	BH_CFG(struct obs_camera_config, ptz, .type = BH_CFG_BOOL, .def = "yes",
	       .help = "may be panned and zoomed"),
	BH_CFG_LAST,
};

static const struct bh_cfg_field ptz_fields[] = {
	BH_CFG(struct obs_ptz_config, name, .type = BH_CFG_STR,
	       .help = "name of the target: that of the game pad or joystick that drives it"),
	BH_CFG(struct obs_ptz_config, camera, .type = BH_CFG_STR, .def = "dynamic",
	       .help = "id of the camera that it drives at first; dynamic: the one in preview"),
	BH_CFG(struct obs_ptz_config, pan_gain, .type = BH_CFG_FLOAT, .def = "15", .min = "0",
	       .max = "200",
	       .help = "how fast a full deflection pans, in steps of 2 px each 16 ms"),
	BH_CFG(struct obs_ptz_config, zoom_gain, .type = BH_CFG_FLOAT, .def = "3", .min = "0",
	       .max = "50", .help = "how fast a full deflection zooms, in steps of 2 % each 16 ms"),
	BH_CFG(struct obs_ptz_config, gamma, .type = BH_CFG_FLOAT, .def = "1", .min = "0.2",
	       .max = "5", .help = "exponent of the deflection: above 1 finer in the middle; a game pad has bent its sticks already"),
	BH_CFG_LAST,
};

const struct bh_cfg_field obs_fields[] = {
	BH_CFG(struct obs_config, host, .type = BH_CFG_STR, .def = "127.0.0.1",
	       .help = "where OBS runs: address or name"),
	BH_CFG(struct obs_config, port, .type = BH_CFG_PORT, .def = "4455",
	       .help = "port of its WebSocket server"),
	BH_CFG(struct obs_config, password, .type = BH_CFG_SECRET, .def = "", LIVE,
	       .help = "as in OBS under Tools, WebSocket Server Settings; empty: the server asks "
		       "for none"),
	BH_CFG(struct obs_config, tls, .type = BH_CFG_BOOL, .def = "no", .help = "speak TLS: OBS itself does not, a proxy before it may"),
	BH_CFG(struct obs_config, keepalive_ms, .type = BH_CFG_MS, .def = "2s", .min = "250ms",
	       .max = "60s", LIVE,
	       .help = "an OBS that has gone without a word is found within this time"),
	BH_CFG(struct obs_config, transforms, .type = BH_CFG_BOOL, .def = "yes", LIVE,
	       .help = "position, scale, rotation and crop of scene items are parameters"),
	BH_CFG(struct obs_config, settings, .type = BH_CFG_BOOL, .def = "yes", LIVE,
	       .help = "numeric settings of filters are parameters"),
	BH_CFG(struct obs_config, stats_ms, .type = BH_CFG_MS, .def = "1s", .min = "200ms",
	       .max = "60s", LIVE,
	       .help = "time between two looks at frame rate, disk, and the times of outputs"),
	BH_CFG(struct obs_config, media_ms, .type = BH_CFG_MS, .def = "250ms", .min = "50ms",
	       .max = "10s", LIVE,
	       .help = "time between two looks at the position of media that play"),
	BH_CFG(struct obs_config, meter_decay_db_s, .type = BH_CFG_FLOAT, .def = "23.53",
	       .min = "1", .max = "200", .unit = "dB/s", LIVE,
	       .help = "how fast a meter falls; OBS's own: 23.53 fast, 11.76 medium, 8.57 slow"),
	BH_CFG(struct obs_config, meter_hold_ms, .type = BH_CFG_MS, .def = "0", .max = "5s", LIVE,
	       .help = "how long a peak stays before it falls"),
	BH_CFG(struct obs_config, cameras, .type = BH_CFG_LIST, LIVE, .sub = camera_fields,
	       .sub_size = sizeof(struct obs_camera_config),
	       .help = "cameras: a scene each, and a source that is panned and zoomed"),
	BH_CFG(struct obs_config, split_left, .type = BH_CFG_STR, .def = "", LIVE,
	       .help = "scene of the left split view"),
	BH_CFG(struct obs_config, split_right, .type = BH_CFG_STR, .def = "", LIVE,
	       .help = "scene of the right split view"),
	BH_CFG(struct obs_config, default_camera, .type = BH_CFG_STR, .def = "", LIVE,
	       .help = "camera to go to when a split view ends; empty: the first"),
	BH_CFG(struct obs_config, ptz, .type = BH_CFG_LIST, LIVE, .sub = ptz_fields,
	       .sub_size = sizeof(struct obs_ptz_config),
	       .help = "targets of game pads and joysticks: each drives one camera at a time"),
	BH_CFG_LAST,
};

static int refuse(char *why, size_t cap, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int
refuse(char *why, size_t cap, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, cap, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static const struct obs_camera_config *
camera(const struct obs_config *cfg, const char *id)
{
	const struct obs_camera_config *c = cfg->cameras.items;
	for (uint32_t k = 0; k < cfg->cameras.count; k++)
		if (!strcmp(c[k].id, id))
			return &c[k];
	return NULL;
}

static int
check_cameras(const struct obs_config *cfg, char *why, size_t cap)
{
	const struct obs_camera_config *c = cfg->cameras.items;
	for (uint32_t k = 0; k < cfg->cameras.count; k++) {
		if (!*c[k].id || strchr(c[k].id, '/') || !strcmp(c[k].id, "dynamic"))
			return refuse(why, cap, "cameras[%u]: id \"%s\" cannot name a camera", k,
				      c[k].id);
		if (camera(cfg, c[k].id) != &c[k])
			return refuse(why, cap, "cameras[%u]: there is another camera \"%s\"", k,
				      c[k].id);
	}
	if (*cfg->default_camera && !camera(cfg, cfg->default_camera))
		return refuse(why, cap, "default_camera: there is no camera \"%s\"",
			      cfg->default_camera);
	return 0;
}

static int
check_ptz(const struct obs_config *cfg, char *why, size_t cap)
{
	const struct obs_ptz_config *p = cfg->ptz.items;
	for (uint32_t k = 0; k < cfg->ptz.count; k++) {
		if (!*p[k].name || strchr(p[k].name, '/'))
			return refuse(why, cap, "ptz[%u]: \"%s\" cannot name a target", k,
				      p[k].name);
		for (uint32_t i = 0; i < k; i++)
			if (!strcmp(p[i].name, p[k].name))
				return refuse(why, cap, "ptz[%u]: there is another target \"%s\"",
					      k, p[k].name);
		if (strcmp(p[k].camera, "dynamic") && !camera(cfg, p[k].camera))
			return refuse(why, cap, "ptz[%u]: there is no camera \"%s\"", k,
				      p[k].camera);
	}
	return 0;
}

int
obs_options_check(const struct obs_config *cfg, char *why, size_t cap)
{
	int r = check_cameras(cfg, why, cap);
	return r < 0 ? r : check_ptz(cfg, why, cap);
}

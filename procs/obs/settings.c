/* settings.c - see settings.h. From plugins/obs-filters of OBS Studio 29: what its obs_properties_add_float_slider() and _int() say. */
#include "procs/obs/settings.h"

#include <stddef.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *kind, *setting;
	struct obs_setting_range range;
} ranges[] = {
	{"gain_filter", "db", {-30, 30, 0, "dB"}},
	{"compressor_filter", "ratio", {1, 32, 0, NULL}},
	{"compressor_filter", "threshold", {-60, 0, 0, "dB"}},
	{"compressor_filter", "attack_time", {1, 500, 1, "ms"}},
	{"compressor_filter", "release_time", {1, 1000, 1, "ms"}},
	{"compressor_filter", "output_gain", {-32, 32, 0, "dB"}},
	{"expander_filter", "ratio", {1, 20, 0, NULL}},
	{"expander_filter", "threshold", {-60, 0, 0, "dB"}},
	{"expander_filter", "attack_time", {1, 100, 1, "ms"}},
	{"expander_filter", "release_time", {1, 1000, 1, "ms"}},
	{"expander_filter", "output_gain", {-32, 32, 0, "dB"}},
	{"expander_filter", "knee_width", {0, 20, 0, "dB"}},
	{"upward_compressor_filter", "ratio", {0, 1, 0, NULL}},
	{"upward_compressor_filter", "threshold", {-60, 0, 0, "dB"}},
	{"upward_compressor_filter", "attack_time", {1, 100, 1, "ms"}},
	{"upward_compressor_filter", "release_time", {1, 1000, 1, "ms"}},
	{"upward_compressor_filter", "output_gain", {-32, 32, 0, "dB"}},
	{"upward_compressor_filter", "knee_width", {0, 20, 0, "dB"}},
	{"noise_gate_filter", "open_threshold", {-96, 0, 0, "dB"}},
	{"noise_gate_filter", "close_threshold", {-96, 0, 0, "dB"}},
	{"noise_gate_filter", "attack_time", {0, 10000, 1, "ms"}},
	{"noise_gate_filter", "hold_time", {0, 10000, 1, "ms"}},
	{"noise_gate_filter", "release_time", {0, 10000, 1, "ms"}},
	{"limiter_filter", "threshold", {-60, 0, 0, "dB"}},
	{"limiter_filter", "release_time", {1, 1000, 1, "ms"}},
	{"noise_suppress_filter", "suppress_level", {-60, 0, 1, "dB"}},
	{"basic_eq_filter", "low", {-20, 20, 0, "dB"}},
	{"basic_eq_filter", "mid", {-20, 20, 0, "dB"}},
	{"basic_eq_filter", "high", {-20, 20, 0, "dB"}},
	/* v1 has opacity in percent, as whole numbers */
	{"color_filter_v2", "opacity", {0, 1, 0, NULL}},
	{"color_filter_v2", "contrast", {-4, 4, 0, NULL}},
	{"color_filter", "opacity", {0, 100, 1, "%"}},
	{"color_filter", "contrast", {-2, 2, 0, NULL}},
	{"color_filter", "gamma", {-3, 3, 0, NULL}},
	{"color_filter", "brightness", {-1, 1, 0, NULL}},
	{"color_filter", "saturation", {-1, 5, 0, NULL}},
	{"color_filter", "hue_shift", {-180, 180, 0, "deg"}},
	{"chroma_key_filter_v2", "opacity", {0, 1, 0, NULL}},
	{"chroma_key_filter_v2", "contrast", {-4, 4, 0, NULL}},
	{"chroma_key_filter", "opacity", {0, 100, 1, "%"}},
	{"chroma_key_filter", "contrast", {-1, 1, 0, NULL}},
	{"chroma_key_filter", "similarity", {1, 1000, 1, NULL}},
	{"chroma_key_filter", "smoothness", {1, 1000, 1, NULL}},
	{"chroma_key_filter", "spill", {1, 1000, 1, NULL}},
	{"chroma_key_filter", "brightness", {-1, 1, 0, NULL}},
	{"chroma_key_filter", "gamma", {-1, 1, 0, NULL}},
	{"color_key_filter_v2", "opacity", {0, 1, 0, NULL}},
	{"color_key_filter_v2", "contrast", {-4, 4, 0, NULL}},
	{"color_key_filter", "opacity", {0, 100, 1, "%"}},
	{"color_key_filter", "contrast", {-1, 1, 0, NULL}},
	{"color_key_filter", "similarity", {1, 1000, 1, NULL}},
	{"color_key_filter", "smoothness", {1, 1000, 1, NULL}},
	{"color_key_filter", "brightness", {-1, 1, 0, NULL}},
	{"color_key_filter", "gamma", {-1, 1, 0, NULL}},
	{"luma_key_filter", "luma_max", {0, 1, 0, NULL}},
	{"luma_key_filter", "luma_min", {0, 1, 0, NULL}},
	{"luma_key_filter", "luma_max_smooth", {0, 1, 0, NULL}},
	{"luma_key_filter", "luma_min_smooth", {0, 1, 0, NULL}},
	{"mask_filter_v2", "opacity", {0, 1, 0, NULL}},
	{"mask_filter", "opacity", {0, 100, 1, "%"}},
	{"clut_filter", "clut_amount", {0, 1, 0, NULL}},
	{"sharpness_filter", "sharpness", {0, 1, 0, NULL}},
	{"scroll_filter", "speed_x", {-500, 500, 0, NULL}},
	{"scroll_filter", "speed_y", {-500, 500, 0, NULL}},
	{"scroll_filter", "cx", {1, 8192, 1, "px"}},
	{"scroll_filter", "cy", {1, 8192, 1, "px"}},
	{"crop_filter", "left", {-8192, 8192, 1, "px"}},
	{"crop_filter", "right", {-8192, 8192, 1, "px"}},
	{"crop_filter", "top", {-8192, 8192, 1, "px"}},
	{"crop_filter", "bottom", {-8192, 8192, 1, "px"}},
	{"crop_filter", "cx", {0, 8192, 1, "px"}},
	{"crop_filter", "cy", {0, 8192, 1, "px"}},
	{"async_delay_filter", "delay_ms", {0, 20000, 1, "ms"}},
	{"gpu_delay", "delay_ms", {0, 500, 1, "ms"}},
};
/* clang-format on */

/* As long as the name of the first version: "color_filter_v2" -> "color_filter". */
static size_t
first_version(const char *kind)
{
	size_t n = strlen(kind), digits = n;
	while (digits && kind[digits - 1] >= '0' && kind[digits - 1] <= '9')
		digits--;
	return digits < n && digits >= 2 && kind[digits - 1] == 'v' && kind[digits - 2] == '_' ? digits - 2 : n;
}

static const struct obs_setting_range *
find(const char *kind, size_t len, const char *setting)
{
	for (size_t k = 0; k < sizeof(ranges) / sizeof(ranges[0]); k++)
		if (strlen(ranges[k].kind) == len && !memcmp(ranges[k].kind, kind, len) && !strcmp(ranges[k].setting, setting))
			return &ranges[k].range;
	return NULL;
}

const struct obs_setting_range *
obs_setting_range(const char *kind, const char *setting)
{
	const struct obs_setting_range *r = find(kind, strlen(kind), setting);
	return r ? r : find(kind, first_version(kind), setting);
}

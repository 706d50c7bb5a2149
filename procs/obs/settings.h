/* settings.h - ranges of the settings of well-known filters: obs-websocket tells numbers, never what they may be */
#pragma once

struct obs_setting_range {
	double min, max, step; /* step 0 = a V-Pot turns by parts of the range */
	const char *unit;      /* NULL = none */
};

/*
 * The range of a setting of a filter of that kind ("color_filter_v2"), as OBS 29's own dialogs have it; NULL = not known. Such a setting
 * has no range (min = max = 0): a V-Pot turns it in steps of 1 (whole numbers) or 0.01, a binding may give it a range or a step of its own.
 */
const struct obs_setting_range *obs_setting_range(const char *kind, const char *setting);

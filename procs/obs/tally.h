/*
 * tally.h - which scenes and sources are on air or in preview
 *
 * Pure. The graph: a scene (or group) shows items; an item shows an input, a scene or a group. Only visible items count. On air is what
 * the program scene shows, through nested scenes and groups, and during a transition what both of its scenes show; in
 * preview what the preview scene shows in studio mode. On air wins. A scene that contains itself (OBS forbids it, a peer may say it) ends the search.
 */
#pragma once

#include <stdint.h>

struct obs_tally_edge { /* a visible item */
	uint32_t scene, source;
};

/*
 * `out[node]` = enum obs_tally of each of `nodes`. `edges` sorted by scene. program, other_program (the other scene of a running transition), preview: node,
 * or UINT32_MAX. `stack` has room for `nodes`.
 */
void obs_tally(uint8_t *out, uint32_t nodes, const struct obs_tally_edge *edges, uint32_t edge_count, uint32_t program, uint32_t other_program,
	       uint32_t preview, uint32_t *stack);
/* Sort edges as obs_tally() wants them, in place. */
void obs_tally_sort(struct obs_tally_edge *edges, uint32_t edge_count);

/* tally.c - see tally.h */
#include "procs/obs/tally.h"

#include <string.h>

#include "procs/obs/model.h"

static bool
is_less(struct obs_tally_edge a, struct obs_tally_edge b)
{
	return a.scene != b.scene ? a.scene < b.scene : a.source < b.source;
}

static void
sift_down(struct obs_tally_edge *e, uint32_t at, uint32_t count)
{
	struct obs_tally_edge moved = e[at];
	for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && is_less(e[child], e[child + 1]))
			child++;
		if (!is_less(moved, e[child]))
			break;
		e[at] = e[child];
	}
	e[at] = moved;
}

/* A heap: in place, and no order of items makes it slow. */
void
obs_tally_sort(struct obs_tally_edge *edges, uint32_t edge_count)
{
	for (uint32_t i = edge_count / 2; i-- > 0;)
		sift_down(edges, i, edge_count);
	for (uint32_t end = edge_count; end-- > 1;) {
		struct obs_tally_edge last = edges[end];
		edges[end] = edges[0];
		edges[0] = last;
		sift_down(edges, 0, end);
	}
}

static uint32_t
first_of(const struct obs_tally_edge *edges, uint32_t count, uint32_t scene)
{
	uint32_t low = 0, high = count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (edges[mid].scene < scene)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Everything that `root` shows, itself included. What already has this tally or a stronger one has been walked through. */
static void
spread(uint8_t *out, uint32_t nodes, const struct obs_tally_edge *edges, uint32_t edge_count, uint32_t root,
       enum obs_tally tally, uint32_t *stack)
{
	if (root >= nodes || out[root] >= tally)
		return;
	uint32_t depth = 0;
	out[root] = (uint8_t)tally;
	stack[depth++] = root;
	while (depth) {
		uint32_t scene = stack[--depth];
		for (uint32_t i = first_of(edges, edge_count, scene); i < edge_count && edges[i].scene == scene; i++) {
			uint32_t source = edges[i].source;
			if (source >= nodes || out[source] >= tally)
				continue;
			out[source] = (uint8_t)tally;
			stack[depth++] = source;
		}
	}
}

void
obs_tally(uint8_t *out, uint32_t nodes, const struct obs_tally_edge *edges, uint32_t edge_count, uint32_t program,
	  uint32_t other_program, uint32_t preview, uint32_t *stack)
{
	memset(out, OBS_TALLY_OFF, nodes);
	spread(out, nodes, edges, edge_count, program, OBS_TALLY_PROGRAM, stack);
	spread(out, nodes, edges, edge_count, other_program, OBS_TALLY_PROGRAM, stack);
	spread(out, nodes, edges, edge_count, preview, OBS_TALLY_PREVIEW, stack);
}

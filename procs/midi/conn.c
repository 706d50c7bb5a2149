/* conn - see the header. */
#include "procs/midi/conn.h"

#include <string.h>
#include <strings.h>

const char *
midi_conn_state_name(enum midi_conn_state state)
{
	switch (state) {
	case MIDI_CONN_ABSENT: return "absent";
	case MIDI_CONN_TRYING: return "trying";
	case MIDI_CONN_LINKED: return "linked";
	}
	return "?";
}

static void
wait_longer(struct midi_conn *c, uint64_t now_ns)
{
	uint64_t wait = MIDI_CONN_WAIT_MIN_NS << (c->refusals < 6 ? c->refusals : 6);

	if (wait > MIDI_CONN_WAIT_MAX_NS)
		wait = MIDI_CONN_WAIT_MAX_NS;
	c->refusals++;
	c->retry_ns = now_ns + wait;
}

bool
midi_conn_step(struct midi_conn *c, enum midi_conn_event event, uint64_t now_ns)
{
	if (event == MIDI_CONN_GONE) {
		*c = (struct midi_conn){0};
		return false;
	}
	switch (c->state) {
	case MIDI_CONN_ABSENT:
		if (event != MIDI_CONN_SEEN)
			return false;
		c->state = MIDI_CONN_TRYING;
		return true;
	case MIDI_CONN_TRYING:
		if (event == MIDI_CONN_MADE) {
			*c = (struct midi_conn){.state = MIDI_CONN_LINKED};
			return false;
		}
		if (event == MIDI_CONN_REFUSED) {
			wait_longer(c, now_ns);
			return false;
		}
		if (event == MIDI_CONN_SEEN)
			c->refusals = 0;
		else if (event != MIDI_CONN_TICK || c->retry_ns == 0 || now_ns < c->retry_ns)
			return false;
		c->retry_ns = 0;
		return true;
	case MIDI_CONN_LINKED:
		if (event == MIDI_CONN_CUT) {
			c->state = MIDI_CONN_TRYING;
			wait_longer(c, now_ns);
		}
		return false;
	}
	return false;
}

/* Case aside, trailing blanks of `is` aside. */
static enum midi_conn_match
match_name(const char *wanted, size_t len, const char *is)
{
	size_t n = strlen(is);

	while (n > 0 && is[n - 1] == ' ')
		n--;
	if (len == 0 || len > n)
		return MIDI_CONN_NO;
	for (size_t at = 0; at + len <= n; at++)
		if (strncasecmp(wanted, is + at, len) == 0)
			return len == n ? MIDI_CONN_EXACT : MIDI_CONN_PART;
	return MIDI_CONN_NO;
}

static enum midi_conn_match
match_port(const char *wanted, const char *client, const char *port)
{
	enum midi_conn_match match = match_name(wanted, strlen(wanted), port);
	size_t n = strlen(client);

	while (n > 0 && client[n - 1] == ' ')
		n--;
	if (match == MIDI_CONN_PART && strncasecmp(port, client, n) == 0 && port[n] == ' ' &&
	    match_name(wanted, strlen(wanted), port + n + 1) == MIDI_CONN_EXACT)
		return MIDI_CONN_EXACT;
	return match;
}

enum midi_conn_match
midi_conn_match(const char *wanted, const char *client, const char *port)
{
	enum midi_conn_match best = match_name(wanted, strlen(wanted), client);

	/* A client's name may itself hold colons ("a2j: synth"): every split is tried. */
	for (const char *colon = strchr(wanted, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
		enum midi_conn_match c = match_name(wanted, (size_t)(colon - wanted), client);
		enum midi_conn_match p = match_port(colon + 1, client, port);
		enum midi_conn_match both = c < p ? c : p;

		best = both > best ? both : best;
	}
	return best;
}

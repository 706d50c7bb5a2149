/* feedback - see feedback.h */
#include "common/feedback.h"

#include <string.h>

enum { LINE_MAX_BYTES = 30 };
_Static_assert(1 + LINE_MAX_BYTES + 1 + LINE_MAX_BYTES <= BH_TEXT_MAX, "two lines fit a text value");

static size_t
line_len(const char *s)
{
	size_t len = strcspn(s, "\n");
	if (len <= LINE_MAX_BYTES)
		return len;
	len = LINE_MAX_BYTES;
	while (len > 0 && ((uint8_t)s[len] & 0xc0) == 0x80)
		len--;
	return len;
}

void
bh_feedback_strip(char *out, unsigned color, const char *upper, const char *lower)
{
	size_t n = line_len(upper);
	*out++ = (char)('0' + (color & 7));
	memcpy(out, upper, n);
	out += n;
	*out++ = '\n';
	n = line_len(lower);
	memcpy(out, lower, n);
	out[n] = '\0';
}

void
bh_feedback_strip_open(const char *text, struct bh_strip_state *s)
{
	memset(s, 0, sizeof(*s));
	if (*text >= '0' && *text <= '7' && strchr(text, '\n'))
		s->color = (uint8_t)(*text++ - '0');
	s->line[0] = text;
	s->len[0] = strcspn(text, "\n");
	text += s->len[0];
	if (*text == '\n')
		text++;
	s->line[1] = text;
	s->len[1] = strlen(text);
}

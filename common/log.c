/* log.c - see log.h */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/units.h"

static char log_name[32] = "bulkhead";
static enum bh_log_level log_level = BH_LOG_INFO;
static bool log_for_journal;

static enum bh_log_level
log_level_from_env(void)
{
	const char *s = getenv("BULKHEAD_LOG_LEVEL");
	if (!s)
		return BH_LOG_INFO;
	if (!strcmp(s, "err"))
		return BH_LOG_ERR;
	if (!strcmp(s, "warn"))
		return BH_LOG_WARN;
	return !strcmp(s, "dbg") ? BH_LOG_DBG : BH_LOG_INFO;
}

void
bh_log_init(const char *name)
{
	const char *how = getenv("BULKHEAD_LOG");
	snprintf(log_name, sizeof(log_name), "%s", name);
	log_level = log_level_from_env();
	log_for_journal = how ? !strcmp(how, "journal") : getenv("JOURNAL_STREAM") != NULL;
}

void
bh_log_set_level(enum bh_log_level level)
{
	log_level = level;
}

bool
bh_log_enabled(enum bh_log_level level)
{
	return level <= log_level;
}

static const char *
level_word(enum bh_log_level level)
{
	switch (level) {
	case BH_LOG_ERR: return "error: ";
	case BH_LOG_WARN: return "warning: ";
	case BH_LOG_INFO: return "";
	case BH_LOG_DBG: return "debug: ";
	}
	return "";
}

/* Wall-clock time of day for people; the journal has its own. */
static size_t
log_prefix(char *buf, size_t cap, enum bh_log_level level, const char *topic)
{
	int n;
	if (log_for_journal) {
		n = snprintf(buf, cap, "<%d>%s: %s: ", (int)level, log_name, topic);
	} else {
		struct timespec ts;
		struct tm tm;
		clock_gettime(CLOCK_REALTIME, &ts);
		localtime_r(&ts.tv_sec, &tm);
		n = snprintf(buf, cap, "%02d:%02d:%02d.%03ld %s: %s: %s", tm.tm_hour, tm.tm_min, tm.tm_sec,
			     ts.tv_nsec / 1000000, log_name, topic, level_word(level));
	}
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static void __attribute__((format(printf, 3, 0)))
log_line(enum bh_log_level level, const char *topic, const char *fmt, va_list ap)
{
	char line[640];
	int saved = errno;
	size_t n = log_prefix(line, sizeof(line) - 1, level, topic);
	errno = saved;
	int m = vsnprintf(line + n, sizeof(line) - 1 - n, fmt, ap);
	if (m > 0)
		n += (size_t)m < sizeof(line) - 1 - n ? (size_t)m : sizeof(line) - 2 - n;
	line[n++] = '\n';
	/* A full or closed stderr must not stop the show. */
	if (write(STDERR_FILENO, line, n) < 0)
		(void)0;
	errno = saved;
}

void
bh_log(enum bh_log_level level, const char *topic, const char *fmt, ...)
{
	if (!bh_log_enabled(level))
		return;
	va_list ap;
	va_start(ap, fmt);
	log_line(level, topic, fmt, ap);
	va_end(ap);
}

void
bh_log_limited(struct bh_log_limit *limit, enum bh_log_level level, const char *topic, const char *fmt, ...)
{
	uint64_t now = bh_now_ns();
	if (!bh_log_enabled(level))
		return;
	if (now - limit->window_start_ns >= limit->window_ms * BH_NS_PER_MS) {
		if (limit->swallowed)
			bh_log(level, topic, "(%llu more lines like the next one were left out)",
			       (unsigned long long)limit->swallowed);
		limit->window_start_ns = now;
		limit->swallowed = 0;
		limit->used = 0;
	}
	if (limit->used >= limit->burst) {
		limit->swallowed++;
		return;
	}
	limit->used++;
	va_list ap;
	va_start(ap, fmt);
	log_line(level, topic, fmt, ap);
	va_end(ap);
}

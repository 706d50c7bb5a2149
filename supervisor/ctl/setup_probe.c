/*
 * setup_probe.c - see setup.h: who answers on loopback, and whose sockets are there
 *
 * All connections are begun together and looked at in one poll, until each has said who it is or the time is over. What is sent is
 * what any browser sends; nobody is logged in to, nothing is subscribed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/units.h"
#include "supervisor/ctl/setup.h"

/* MQTT alone says nothing before it is logged in to: that somebody listens there is all that is looked for. */
static const char *const greetings[SETUP_BACKENDS] = {
	[SETUP_OBS] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		      "Sec-WebSocket-Key: YnVsa2hlYWQgc2V0dXAgISE=\r\nSec-WebSocket-Version: 13\r\n"
		      "Sec-WebSocket-Protocol: obswebsocket.json\r\n\r\n",
	[SETUP_QLC] = "GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n",
};

struct probe {
	enum setup_backend what;
	int fd; /* owned, -1 = over */
	bool greeted;
	char said[4096];
	size_t len;
};

/* ------------------------------------------------------------------ what they say */

static void
word_after(const char *text, const char *key, char *out, size_t cap)
{
	const char *at = strstr(text, key);
	size_t n = 0;
	out[0] = '\0';
	if (!at)
		return;
	for (at += strlen(key); *at && strchr("\": ", *at);)
		at++;
	while (n + 1 < cap && (*at == '.' || (*at >= '0' && *at <= '9')))
		out[n++] = *at++;
	out[n] = '\0';
}

bool
setup_hear(enum setup_backend b, const char *said, size_t len, struct setup_found *f)
{
	char text[4097], version[24];
	size_t n = 0;
	/* The frame's head has zeros and other bytes that are no text. */
	for (size_t i = 0; i < len && n + 1 < sizeof(text); i++)
		text[n++] = said[i] ? said[i] : ' ';
	text[n] = '\0';
	if (b == SETUP_OBS) {
		if (len >= 12 && strncmp(text, "HTTP/1.1 101", 12) != 0)
			return true;
		if (!strstr(text, "obsWebSocketVersion") || !strstr(text, "rpcVersion"))
			return false;
		word_after(text, "obsWebSocketVersion", version, sizeof(version));
		snprintf(f->backend[b].detail, sizeof(f->backend[b].detail), "OBS WebSocket %s", version);
		f->backend[b].found = true;
		f->backend[b].needs_password = strstr(text, "\"challenge\"") != NULL;
		return true;
	}
	if (b == SETUP_QLC) {
		if (len >= 5 && strncmp(text, "HTTP/", 5) != 0)
			return true;
		if (!strstr(text, "QLC+") && !strstr(text, "Q Light Controller"))
			return false;
		snprintf(f->backend[b].detail, sizeof(f->backend[b].detail), "QLC+ web interface");
		f->backend[b].found = true;
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------ asking them */

static void
over(struct probe *p)
{
	bh_close(&p->fd);
}

static void
begin(struct probe *p, enum setup_backend what, uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	*p = (struct probe){.what = what, .fd = -1};
	if (!port)
		return;
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd >= 0 && connect(p->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 && errno != EINPROGRESS)
		over(p);
}

static void
on_writable(struct probe *p, struct setup_found *f)
{
	int err = 0;
	socklen_t len = sizeof(err);
	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 || err) {
		over(p);
		return;
	}
	p->greeted = true;
	const char *words = greetings[p->what];
	if (!words) {
		f->backend[p->what].found = true;
		snprintf(f->backend[p->what].detail, sizeof(f->backend[p->what].detail), "a broker, it seems: somebody listens there");
		over(p);
		return;
	}
	if (send(p->fd, words, strlen(words), MSG_NOSIGNAL) != (ssize_t)strlen(words))
		over(p);
}

static void
on_readable(struct probe *p, struct setup_found *f)
{
	ssize_t n = recv(p->fd, p->said + p->len, sizeof(p->said) - p->len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	p->len += n > 0 ? (size_t)n : 0;
	if (setup_hear(p->what, p->said, p->len, f) || n <= 0 || p->len == sizeof(p->said))
		over(p);
}

static void
ask(const struct setup_places *places, struct setup_found *f)
{
	static struct probe probe[SETUP_MQTT + 1];
	uint64_t until = bh_mono_ns() + SETUP_PROBE_MS * BH_NS_PER_MS, now;
	for (unsigned i = 0; i <= SETUP_MQTT; i++)
		begin(&probe[i], (enum setup_backend)i, places->port[i]);
	while ((now = bh_mono_ns()) < until) {
		struct pollfd pfd[SETUP_MQTT + 1];
		unsigned open = 0;
		for (unsigned i = 0; i <= SETUP_MQTT; i++) {
			pfd[i] = (struct pollfd){.fd = probe[i].fd, .events = probe[i].greeted ? POLLIN : POLLOUT};
			open += probe[i].fd >= 0;
		}
		if (!open || poll(pfd, SETUP_MQTT + 1, (int)((until - now) / BH_NS_PER_MS) + 1) <= 0)
			break;
		for (unsigned i = 0; i <= SETUP_MQTT; i++) {
			if (pfd[i].fd < 0 || !pfd[i].revents)
				continue;
			if (probe[i].greeted)
				on_readable(&probe[i], f);
			else
				on_writable(&probe[i], f);
		}
	}
	for (unsigned i = 0; i <= SETUP_MQTT; i++)
		over(&probe[i]);
}

static void
look_for_socket(const struct setup_places *p, struct setup_found *f, enum setup_backend b, const char *name, const char *what)
{
	char path[300];
	struct stat st;
	snprintf(path, sizeof(path), "%s/%s", p->runtime, name);
	f->backend[b].found = stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
	snprintf(f->backend[b].detail, sizeof(f->backend[b].detail), "%s", what);
}

void
setup_probe(const struct setup_places *p, struct setup_found *f)
{
	ask(p, f);
	if (!p->runtime || !*p->runtime)
		return;
	look_for_socket(p, f, SETUP_PIPEWIRE, "pipewire-0", "PipeWire");
	look_for_socket(p, f, SETUP_PULSE, "pulse/native", "PulseAudio, or PipeWire in its place");
	look_for_socket(p, f, SETUP_MPRIS, "bus", "a session bus: media players may be there (MPRIS)");
}

/*
 * xtouch_gadget - an X-Touch on the USB bus, by gadgetfs, so that ALSA sees the real thing's names
 *
 *   xtouch-gadget --stream PATH --control PATH [--log FILE] [--connect] [--unplugged]
 *
 * In:    --stream: a Unix stream socket with raw MIDI, the surface's side of the cable X-TOUCH_INT.
 *        We listen there for one peer at a time (with --connect we call a peer that listens, and
 *        try again while it is away). --control: lines on a Unix stream socket or standard input:
 *            send HEX..       bytes to the host on X-TOUCH_INT       ext HEX..   on X-TOUCH_EXT
 *            unplug | plug    the cable                              state       plugged, opened,
 * counts quit each answered by one line, "ok ..." or "error ...". Out:   ALSA card "X-Touch",
 * 1397:00b4, with the ports X-TOUCH_INT and X-TOUCH_EXT. What the host sends on INT goes to the
 * stream's peer, and with --log all of it goes to a file, a line for a message: "SECONDS INT 90 10
 * 7f" (CLOCK_MONOTONIC). Fails: with a line on stderr and exit 1 where the bus or gadgetfs is
 * absent. Bytes for a host that is not there are counted and dropped, as a real desk drops them.
 *
 * The device itself is a child process: killing it is what pulling the cable is, and the kernel
 * tells the host so. Modules: dummy_hcd, gadgetfs. Descriptors follow the USB MIDI class
 * specification 1.0; they are not a copy of the hardware's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/usb/ch9.h>
#include <linux/usb/gadgetfs.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/guest/usbmidi.h"

#define GADGET_DIR "/dev/gadget"
#define EP0_PATH   GADGET_DIR "/dummy_udc"
#define OUT_PATH   GADGET_DIR "/ep2out-bulk"
#define IN_PATH    GADGET_DIR "/ep1in-bulk"

static void
fail(const char *what)
{
	fprintf(stderr, "xtouch-gadget: %s: %s\n", what, strerror(errno));
	_exit(1);
}

/* ---- The device: descriptors, endpoint 0, two endpoint files. Runs in the child. ---- */

enum { STR_MAKER = 1, STR_PRODUCT, STR_INT, STR_EXT };

static const char *const strings[] = {
	[STR_MAKER] = "Behringer",
	[STR_PRODUCT] = "X-Touch",
	[STR_INT] = "X-TOUCH_INT",
	[STR_EXT] = "X-TOUCH_EXT",
};

#define W(x)                 (uint8_t)((x)&255), (uint8_t)((x) >> 8)
#define CONFIG_LEN           (9 + 9 + 9 + 9 + 7 + 4 * 6 + 4 * 9 + 2 * (9 + 6))
#define ENDPOINT(addr, size) 7, USB_DT_ENDPOINT, (addr), USB_ENDPOINT_XFER_BULK, W(size), 0
#define ENDPOINT_AUDIO(addr, size)                                                                 \
	9, USB_DT_ENDPOINT, (addr), USB_ENDPOINT_XFER_BULK, W(size), 0, 0, 0

/* clang-format off */
#define CONFIG(size) \
	9, USB_DT_CONFIG, W(CONFIG_LEN), 2, 1, 0, 0xc0, 0, \
	/* audio control, which only points at the streaming interface */ \
	9, USB_DT_INTERFACE, 0, 0, 0, 1, 1, 0, 0, \
	9, 0x24, 1, W(0x100), W(9), 1, 1, \
	/* MIDI streaming: embedded jacks 1, 2 (in) and 5, 6 (out) carry the port names */ \
	9, USB_DT_INTERFACE, 1, 0, 2, 1, 3, 0, 0, \
	7, 0x24, 1, W(0x100), W(7 + 24 + 36 + 30), \
	6, 0x24, 2, 1, 1, STR_INT,   6, 0x24, 2, 1, 2, STR_EXT, \
	6, 0x24, 2, 2, 3, 0,         6, 0x24, 2, 2, 4, 0, \
	9, 0x24, 3, 1, 5, 1, 3, 1, STR_INT,   9, 0x24, 3, 1, 6, 1, 4, 1, STR_EXT, \
	9, 0x24, 3, 2, 7, 1, 1, 1, 0,         9, 0x24, 3, 2, 8, 1, 2, 1, 0, \
	ENDPOINT_AUDIO(0x02, size),  6, 0x25, 1, 2, 1, 2, \
	ENDPOINT_AUDIO(0x81, size),  6, 0x25, 1, 2, 5, 6

static const uint8_t device_blob[] = {
	0, 0, 0, 0, /* gadgetfs: the tag that descriptors follow */
	CONFIG(64), /* full speed */
	CONFIG(512), /* high speed */
	18, USB_DT_DEVICE, W(0x200), 0, 0, 0, 64, W(0x1397), W(0x00b4), W(0x0100),
	STR_MAKER, STR_PRODUCT, 0, 1,
};
/* gadgetfs refuses the nine-byte form of an audio endpoint here; the bus does not care. */
static const uint8_t out_blob[] = { 1, 0, 0, 0, ENDPOINT(0x02, 64), ENDPOINT(0x02, 512) };
static const uint8_t in_blob[] = { 1, 0, 0, 0, ENDPOINT(0x81, 64), ENDPOINT(0x81, 512) };
/* clang-format on */

static int ep_in = -1, ep_out = -1; /* the child's */
static int link_fd;                 /* the child's end of the socket pair: packets both ways */

static void *
pump_out(void *unused)
{
	uint8_t buf[512];
	ssize_t n;

	(void)unused;
	while ((n = read(ep_out, buf, sizeof(buf))) >= 0 || errno == EINTR)
		if (n > 0 && send(link_fd, buf, (size_t)n, MSG_NOSIGNAL) < 0)
			_exit(0);
	_exit(0);
}

static void *
pump_in(void *unused)
{
	uint8_t buf[512];
	ssize_t n;

	(void)unused;
	while ((n = recv(link_fd, buf, sizeof(buf), 0)) > 0)
		if (write(ep_in, buf, (size_t)n) < 0 && errno != EINTR)
			_exit(0);
	_exit(0); /* the parent has gone */
}

static int
endpoint_open(const char *path, const void *blob, size_t len)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || write(fd, blob, len) != (ssize_t)len)
		fail(path);
	return fd;
}

static void
on_setup(int ep0, const struct usb_ctrlrequest *rq)
{
	unsigned type = rq->wValue >> 8, index = rq->wValue & 255;
	uint8_t buf[128];
	size_t len = 0;
	pthread_t t;

	if (rq->bRequest == USB_REQ_GET_DESCRIPTOR && type == USB_DT_STRING) {
		if (index == 0) {
			memcpy(buf, (uint8_t[]){4, USB_DT_STRING, W(0x409)}, len = 4);
		} else if (index < sizeof(strings) / sizeof(*strings)) {
			len = 2;
			for (const char *s = strings[index]; *s != '\0'; s++) {
				buf[len++] = (uint8_t)*s;
				buf[len++] = 0;
			}
			buf[0] = (uint8_t)len;
			buf[1] = USB_DT_STRING;
		}
		if (len > 0) {
			if (len > rq->wLength)
				len = rq->wLength;
			if (write(ep0, buf, len) < 0)
				fprintf(stderr, "xtouch-gadget: string %u: %s\n", index,
					strerror(errno));
			return;
		}
	} else if (rq->bRequest == USB_REQ_SET_CONFIGURATION) {
		if (rq->wValue != 0 && ep_in < 0) {
			ep_out = endpoint_open(OUT_PATH, out_blob, sizeof(out_blob));
			ep_in = endpoint_open(IN_PATH, in_blob, sizeof(in_blob));
			if (pthread_create(&t, NULL, pump_out, NULL) != 0 ||
			    pthread_create(&t, NULL, pump_in, NULL) != 0)
				fail("thread");
		}
		if (read(ep0, buf, 0) < 0)
			fail("set configuration");
		return;
	} else if (rq->bRequest == USB_REQ_SET_INTERFACE) {
		if (read(ep0, buf, 0) < 0)
			fail("set interface");
		return;
	}
	/* A transfer in the wrong direction is how gadgetfs is told to stall. */
	if ((rq->bRequestType & USB_DIR_IN) != 0)
		(void)!read(ep0, buf, 0);
	else
		(void)!write(ep0, buf, 0);
}

static _Noreturn void
device_run(void)
{
	struct usb_gadgetfs_event ev[4];
	int ep0 = open(EP0_PATH, O_RDWR | O_CLOEXEC);
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ep0 < 0 || write(ep0, device_blob, sizeof(device_blob)) != sizeof(device_blob))
		fail(EP0_PATH);
	for (;;) {
		n = read(ep0, ev, sizeof(ev));
		if (n < 0 && errno != EINTR && errno != EIDRM)
			fail("endpoint 0");
		for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(*ev); i++)
			if (ev[i].type == GADGETFS_SETUP)
				on_setup(ep0, &ev[i].u.setup);
	}
}

/* ---- The owner: cable, stream, control, log. ---- */

struct gadget {
	const char *stream_path;
	bool connects; /* we call the stream's peer; it does not call us */
	int listen_fd; /* -1 when we call */
	int stream_fd; /* -1 without a peer */
	int control_listen_fd;
	int control_fd;
	char line[4096]; /* of the control peer, so far */
	size_t line_len;
	FILE *log;
	pid_t pid;                   /* the device; 0 when unplugged */
	int link_fd;                 /* our end; packets */
	struct usbmidi_packer in[2]; /* bytes to packets, by cable */
	struct usbmidi_text out[2];  /* packets to log lines */
	uint64_t in_packets, out_packets, dropped;
};

static void
plug(struct gadget *g)
{
	int sv[2];

	if (g->pid != 0)
		return;
	/* Sequenced packets: a message of the stream is never cut in two. Small, so that a host
	 * which does not listen finds little that is stale when it comes. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		fail("socketpair");
	fflush(NULL);
	g->pid = fork();
	if (g->pid < 0)
		fail("fork");
	if (g->pid == 0) {
		close(sv[0]);
		link_fd = sv[1];
		device_run();
	}
	close(sv[1]);
	g->link_fd = sv[0];
}

static void
unplug(struct gadget *g)
{
	if (g->pid == 0)
		return;
	kill(g->pid, SIGKILL);
	waitpid(g->pid, NULL, 0);
	g->pid = 0;
	close(g->link_fd);
	g->link_fd = -1;
	memset(g->in, 0, sizeof(g->in)); /* half a message does not survive the cable */
	memset(g->out, 0, sizeof(g->out));
}

static void
to_host(struct gadget *g, unsigned cable, const uint8_t *bytes, size_t len)
{
	uint8_t pkt[4];

	for (size_t i = 0; i < len; i++) {
		if (!usbmidi_pack(&g->in[cable], cable, bytes[i], pkt))
			continue;
		if (g->link_fd < 0 || send(g->link_fd, pkt, 4, MSG_DONTWAIT | MSG_NOSIGNAL) != 4)
			g->dropped++;
		else
			g->in_packets++;
	}
}

static void
stream_close(struct gadget *g)
{
	if (g->stream_fd >= 0)
		close(g->stream_fd);
	g->stream_fd = -1;
}

static void
from_host(struct gadget *g)
{
	uint8_t buf[512], bytes[3];
	ssize_t n = recv(g->link_fd, buf, sizeof(buf), MSG_DONTWAIT);
	struct timespec now;
	const char *text;

	if (n == 0) {
		fprintf(stderr, "xtouch-gadget: the device has ended by itself\n");
		unplug(g);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	for (ssize_t i = 0; i + 4 <= n; i += 4) {
		size_t len = usbmidi_unpack(buf + i, bytes);
		unsigned cable = buf[i] >> 4;

		if (len == 0 || cable > 1)
			continue;
		g->out_packets++;
		text = usbmidi_text_add(&g->out[cable], buf + i);
		if (text != NULL && g->log != NULL)
			fprintf(g->log, "%jd.%06ld %s%s\n", (intmax_t)now.tv_sec,
				now.tv_nsec / 1000, cable == 0 ? "INT" : "EXT", text);
		if (cable == 0 && g->stream_fd >= 0 &&
		    send(g->stream_fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno == EAGAIN)
				g->dropped++;
			else
				stream_close(g);
		}
	}
	if (g->log != NULL)
		fflush(g->log);
}

__attribute__((format(printf, 2, 3))) static void
answer(struct gadget *g, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	text[len++] = '\n';
	if (g->control_fd == STDIN_FILENO)
		(void)!write(STDOUT_FILENO, text, (size_t)len);
	else
		(void)send(g->control_fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Is a program of the host reading us? The kernel's sound card appears with the cable either way.
 */
static bool
card_is_there(void)
{
	return access("/proc/asound/XTouch", F_OK) == 0;
}

static void
on_command(struct gadget *g, char *line)
{
	char *save, *word = strtok_r(line, " \t\r", &save);
	uint8_t bytes[1024];
	size_t len = 0;
	unsigned cable;

	if (word == NULL)
		return;
	if (strcmp(word, "plug") == 0) {
		plug(g);
		answer(g, "ok");
	} else if (strcmp(word, "unplug") == 0) {
		unplug(g);
		answer(g, "ok");
	} else if (strcmp(word, "state") == 0) {
		answer(g,
		       "ok plugged=%d card=%d peer=%d to_host=%" PRIu64 " from_host=%" PRIu64
		       " dropped=%" PRIu64,
		       g->pid != 0, card_is_there(), g->stream_fd >= 0, g->in_packets,
		       g->out_packets, g->dropped);
	} else if (strcmp(word, "quit") == 0) {
		unplug(g);
		answer(g, "ok");
		exit(0);
	} else if (strcmp(word, "send") == 0 || strcmp(word, "ext") == 0) {
		cable = word[0] == 'e';
		while ((word = strtok_r(NULL, " \t\r", &save)) != NULL && len < sizeof(bytes))
			bytes[len++] = (uint8_t)strtoul(word, NULL, 16);
		to_host(g, cable, bytes, len);
		answer(g, g->pid != 0 ? "ok" : "error unplugged");
	} else {
		answer(g, "error: %s is no command", word);
	}
}

static void
on_control(struct gadget *g)
{
	ssize_t n = read(g->control_fd, g->line + g->line_len, sizeof(g->line) - 1 - g->line_len);
	char *end;

	if (n <= 0) {
		if (g->control_fd != STDIN_FILENO)
			close(g->control_fd);
		g->control_fd = -1;
		g->line_len = 0;
		return;
	}
	g->line_len += (size_t)n;
	g->line[g->line_len] = '\0';
	while ((end = strchr(g->line, '\n')) != NULL) {
		*end = '\0';
		on_command(g, g->line);
		g->line_len -= (size_t)(end + 1 - g->line);
		memmove(g->line, end + 1, g->line_len + 1);
	}
	if (g->line_len == sizeof(g->line) - 1)
		g->line_len = 0;
}

static struct sockaddr_un
address(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		fail(path);
	}
	strcpy(a.sun_path, path);
	return a;
}

static int
listen_at(const char *path)
{
	struct sockaddr_un a = address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 4) < 0)
		fail(path);
	return fd;
}

static void
call_stream(struct gadget *g)
{
	struct sockaddr_un a = address(g->stream_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		g->stream_fd = fd;
	else if (fd >= 0)
		close(fd);
}

static void
on_stream(struct gadget *g)
{
	uint8_t buf[512];
	ssize_t n = recv(g->stream_fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n > 0)
		to_host(g, 0, buf, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		stream_close(g);
}

static void
take(int listen_fd, int *fd)
{
	int next = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (next < 0)
		return;
	if (*fd >= 0)
		close(*fd);
	*fd = next;
}

static void
run(struct gadget *g)
{
	for (;;) {
		struct pollfd p[] = {
			{.fd = g->link_fd, .events = POLLIN},
			{.fd = g->stream_fd, .events = POLLIN},
			{.fd = g->listen_fd, .events = POLLIN},
			{.fd = g->control_fd, .events = POLLIN},
			{.fd = g->control_listen_fd, .events = POLLIN},
		};
		bool calling = g->connects && g->stream_fd < 0;

		if (calling)
			call_stream(g);
		if (calling && g->stream_fd >= 0)
			continue;
		if (poll(p, 5, calling ? 50 : -1) < 0 && errno != EINTR)
			fail("poll");
		if (p[0].revents != 0)
			from_host(g);
		if (p[1].revents != 0 && g->stream_fd >= 0)
			on_stream(g);
		if (p[2].revents != 0)
			take(g->listen_fd, &g->stream_fd);
		if (p[3].revents != 0)
			on_control(g);
		if (p[4].revents != 0)
			take(g->control_listen_fd, &g->control_fd);
	}
}

int
main(int argc, char **argv)
{
	struct gadget g = {.listen_fd = -1,
			   .stream_fd = -1,
			   .control_listen_fd = -1,
			   .control_fd = -1,
			   .link_fd = -1};
	bool unplugged = false;

	for (int i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--stream") == 0) {
			g.stream_path = next;
			i++;
		} else if (strcmp(argv[i], "--control") == 0) {
			if (strcmp(next, "-") == 0)
				g.control_fd = STDIN_FILENO;
			else
				g.control_listen_fd = listen_at(next);
			i++;
		} else if (strcmp(argv[i], "--log") == 0) {
			g.log = fopen(next, "we");
			if (g.log == NULL)
				fail(next);
			i++;
		} else if (strcmp(argv[i], "--connect") == 0) {
			g.connects = true;
		} else if (strcmp(argv[i], "--unplugged") == 0) {
			unplugged = true;
		} else {
			fprintf(stderr, "usage: xtouch-gadget [--stream PATH [--connect]] "
					"[--control PATH|-] [--log FILE] [--unplugged]\n");
			return 2;
		}
	}
	mkdir(GADGET_DIR, 0755);
	if (access(EP0_PATH, F_OK) != 0 && mount("gadget", GADGET_DIR, "gadgetfs", 0, NULL) < 0)
		fail("gadgetfs (modules dummy_hcd, gadgetfs)");
	if (g.stream_path != NULL && !g.connects)
		g.listen_fd = listen_at(g.stream_path);
	if (!unplugged)
		plug(&g);
	puts("ready");
	fflush(stdout);
	run(&g);
}

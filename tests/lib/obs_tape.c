/* obs_tape.c - see obs_tape.h */
#include "tests/lib/obs_tape.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/units.h"
#include "tests/fakes/ws_frame.h"
#include "tests/lib/must.h"
#include "tests/lib/obs_text.h"

static const char magic[8] = {'O', 'B', 'S', 'T', 'A', 'P', 'E', '1'};
enum { HEAD = 9, PIPES = 4 };

static uint32_t
get32(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void
put32(uint8_t *b, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		b[i] = (uint8_t)(x >> 8 * i);
}

static int
read_whole(const char *path, uint8_t **bytes, size_t *len)
{
	struct stat st;
	FILE *f = fopen(path, "re");
	if (!f)
		return -errno;
	int r = fstat(fileno(f), &st) < 0 ? -errno : 0;
	*len = r == 0 ? (size_t)st.st_size : 0;
	*bytes = malloc(*len + 1);
	if (r == 0 && (!*bytes || fread(*bytes, 1, *len, f) != *len))
		r = -EIO;
	fclose(f);
	return r;
}

int
obs_tape_load(struct obs_tape *t, const char *path)
{
	size_t len = 0, cap = 0;
	memset(t, 0, sizeof(*t));
	int r = read_whole(path, &t->file, &len);
	if (r == 0 && (len < sizeof(magic) || memcmp(t->file, magic, sizeof(magic)) != 0))
		r = -EPROTO;
	for (size_t at = sizeof(magic); r == 0 && at < len;) {
		if (len - at < HEAD || get32(t->file + at + 5) > len - at - HEAD) {
			r = -EPROTO;
			break;
		}
		if (t->entries == cap) {
			cap = 2 * cap + 64;
			t->entry = realloc(t->entry, cap * sizeof(*t->entry));
			must(t->entry, "%m");
		}
		struct obs_tape_entry *e = &t->entry[t->entries++];
		*e = (struct obs_tape_entry){(char)t->file[at], get32(t->file + at + 1), get32(t->file + at + 5), t->file + at + HEAD};
		at += HEAD + e->len;
	}
	if (r < 0)
		obs_tape_unload(t);
	return r;
}

void
obs_tape_unload(struct obs_tape *t)
{
	free(t->file);
	free(t->entry);
	memset(t, 0, sizeof(*t));
}

void
obs_tape_put(FILE *f, char what, uint32_t ms, const void *bytes, size_t len)
{
	uint8_t head[HEAD] = {(uint8_t)what};
	put32(head + 1, ms);
	put32(head + 5, (uint32_t)len);
	if (ftell(f) == 0)
		fwrite(magic, sizeof(magic), 1, f);
	fwrite(head, sizeof(head), 1, f);
	if (len)
		fwrite(bytes, len, 1, f);
}

void
obs_tape_print(const struct obs_tape *t, FILE *f)
{
	static char text[65536];
	for (const struct obs_tape_entry *e = t->entry; e < t->entry + t->entries; e++) {
		msgpack_unpacked un;
		msgpack_unpacked_init(&un);
		const bool whole = (e->what == '<' || e->what == '>') &&
				   msgpack_unpack_next(&un, (const char *)e->bytes, e->len, NULL) == MSGPACK_UNPACK_SUCCESS;
		if (whole)
			obs_text_print(text, sizeof(text), &un.data);
		else
			snprintf(text, sizeof(text), "%u bytes", e->len);
		fprintf(f, "%u %c %s\n", e->ms, e->what, text);
		msgpack_unpacked_destroy(&un);
	}
}

/* ------------------------------------------------------------------ the recorder */

struct pipe {
	struct obs_recorder *rec; /* NULL: free */
	int fd[2]; /* the client, OBS */
	struct ws_reader reader[2];
	uint8_t code[2]; /* of a close frame */
	bool closed;
	char way; /* of the bytes that are read just now */
};

struct obs_recorder {
	FILE *file;
	int listener, stop[2];
	uint16_t port, obs_port;
	uint64_t began_ns;
	pthread_t thread;
	struct pipe pipe[PIPES];
};

static void
write_entry(struct obs_recorder *r, char what, const void *bytes, size_t len)
{
	obs_tape_put(r->file, what, (uint32_t)((bh_mono_ns() - r->began_ns) / BH_NS_PER_MS), bytes, len);
	fflush(r->file); /* whole, even if the test dies */
}

static void
on_message(void *data, enum ws_opcode opcode, const uint8_t *bytes, size_t len)
{
	struct pipe *p = data;
	if (opcode == WS_TEXT || opcode == WS_BINARY)
		write_entry(p->rec, p->way, bytes, len);
	if (opcode == WS_CLOSE && len >= 2 && !p->closed) {
		memcpy(p->code, bytes, 2);
		p->closed = true;
	}
}

static int
tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fd >= 0, "%m");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return fd;
}

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void
open_pipe(struct obs_recorder *r)
{
	struct sockaddr_in a = loopback(r->obs_port);
	int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC), obs = tcp_socket();
	struct pipe *p = r->pipe;
	while (p < r->pipe + PIPES && p->rec)
		p++;
	if (fd < 0 || p == r->pipe + PIPES || connect(obs, (struct sockaddr *)&a, sizeof(a)) < 0) {
		bh_close(&fd);
		close(obs);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	*p = (struct pipe){.rec = r, .fd = {fd, obs}};
	write_entry(r, 'O', NULL, 0);
}

static void
close_pipe(struct pipe *p)
{
	if (!p->rec)
		return;
	write_entry(p->rec, 'C', p->code, p->closed ? 2 : 0);
	for (unsigned i = 0; i < 2; i++) {
		close(p->fd[i]);
		ws_reader_fini(&p->reader[i]);
	}
	p->rec = NULL;
}

/* Written down first, so that a tape never shows an answer before its request. */
static void
pass_on(struct pipe *p, unsigned from)
{
	uint8_t bytes[65536];
	ssize_t n = recv(p->fd[from], bytes, sizeof(bytes), 0);
	setsockopt(p->fd[from], IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
	if (n > 0) {
		p->way = from == 0 ? '>' : '<';
		ws_reader_put(&p->reader[from], bytes, (size_t)n, on_message, p);
	}
	for (ssize_t at = 0, sent; n > 0 && at < n; at += sent)
		if ((sent = send(p->fd[!from], bytes + at, (size_t)(n - at), MSG_NOSIGNAL)) <= 0)
			n = -1;
	if (n <= 0)
		close_pipe(p);
}

static void *
record(void *data)
{
	struct obs_recorder *r = data;
	for (;;) {
		struct pollfd fds[2 + 2 * PIPES] = {{.fd = r->stop[0], .events = POLLIN}, {.fd = r->listener, .events = POLLIN}};
		for (unsigned i = 0; i < 2 * PIPES; i++)
			fds[2 + i] = (struct pollfd){.fd = r->pipe[i / 2].rec ? r->pipe[i / 2].fd[i % 2] : -1, .events = POLLIN};
		if (poll(fds, BH_ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			break;
		for (unsigned i = 0; i < 2 * PIPES; i++)
			if (fds[2 + i].revents && r->pipe[i / 2].rec)
				pass_on(&r->pipe[i / 2], i % 2);
		if (fds[1].revents)
			open_pipe(r);
	}
	for (unsigned i = 0; i < PIPES; i++)
		close_pipe(&r->pipe[i]);
	return NULL;
}

struct obs_recorder *
obs_recorder_start(uint16_t port, uint16_t obs_port, const char *path)
{
	struct sockaddr_in a = loopback(port);
	socklen_t len = sizeof(a);
	struct obs_recorder *r = calloc(1, sizeof(*r));
	must(r, "%m");
	r->file = fopen(path, "we");
	must(r->file, "%s: %m", path);
	r->obs_port = obs_port;
	r->began_ns = bh_mono_ns();
	r->listener = tcp_socket();
	must(bind(r->listener, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(r->listener, 4) == 0, "port %u: %m", port);
	must(getsockname(r->listener, (struct sockaddr *)&a, &len) == 0, "%m");
	r->port = ntohs(a.sin_port);
	must(pipe2(r->stop, O_CLOEXEC) == 0, "%m");
	must(pthread_create(&r->thread, NULL, record, r) == 0, "no thread");
	return r;
}

uint16_t
obs_recorder_port(const struct obs_recorder *r)
{
	return r->port;
}

void
obs_recorder_stop(struct obs_recorder *r)
{
	if (!r)
		return;
	close(r->stop[1]);
	pthread_join(r->thread, NULL);
	close(r->stop[0]);
	close(r->listener);
	must(fclose(r->file) == 0, "%m");
	free(r);
}

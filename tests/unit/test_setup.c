/* `bulkhead setup`: what it finds in the kernel's lists and on loopback, and what it writes. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/units.h"
#include "supervisor/ctl/setup.h"
#include "tests/lib/scratch.h"

static char dir[64];
static struct setup_found found;
static struct setup_places places;
static char text[65536];

static void
put_file(const char *name, const char *what)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (char *p = path + strlen(dir) + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = '\0';
		mkdir(path, 0700);
	}
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(what, f);
	fclose(f);
}

static void
set_up(void)
{
	scratch_dir(dir, sizeof(dir), "setup");
	memset(&found, 0, sizeof(found));
	places = (struct setup_places){.asound = dir, .snd = dir};
}

static void
tear_down(void)
{
	ck_assert_int_eq(scratch_remove(dir), 0);
}

static const char *
written(const struct setup_answers *a)
{
	FILE *f = fmemopen(text, sizeof(text), "w");
	setup_write(f, &found, a);
	fclose(f);
	return text;
}

/* ------------------------------------------------------------------ cards */

START_TEST(desks_are_found_among_the_cards_by_their_device_files)
{
	static char devices[200];
	const char *src = getenv("BH_SRC");
	put_file("cards", " 0 [XTouch         ]: USB-Audio - X-Touch\n"
			  "                      BEHRINGER X-Touch at usb-0000:00:14.0-2, full speed\n"
			  " 1 [PCH            ]: HDA-Intel - HDA Intel PCH\n"
			  "                      HDA Intel PCH at 0xf7f10000 irq 30\n"
			  " 2 [XTouchExt      ]: USB-Audio - X-Touch-Ext\n"
			  "                      BEHRINGER\n"
			  " 3 [Keys           ]: USB-Audio - A \"Keyboard\"\n"
			  "                      ACME\n");
	put_file("card0/midi0", "");
	put_file("card0/usbid", "1397:00b4\n");
	put_file("card2/midi0", "");
	put_file("card2/usbid", "1397:00b6\n");
	put_file("card3/midi0", "");
	put_file("card3/usbid", "rubbish that is far too long for an id\n");
	put_file("seq/clients", "Client info\n  cur  clients : 3\n"
				"Client   0 : \"System\" [Kernel Legacy]\n  Port   0 : \"Timer\" (Rwe-)\n"
				"Client  14 : \"Midi Through\" [Kernel Legacy]\n  Port   0 : \"Midi Through Port-0\" (RWe-)\n"
				"Client  20 : \"X-Touch\" [Kernel Legacy]\n  Port   0 : \"X-Touch MIDI 1\" (RWeX)\n"
				"Client 128 : \"FLUID Synth (1)\" [User Legacy]\n  Port   0 : \"Synth input\" (-We-)\n"
				"    Connected From: 20:0\n"
				"Client 129 : \"Bulkhead\" [User Legacy]\n  Port   0 : \"studio\" (RWe-)\n");
	snprintf(devices, sizeof(devices), "%s/deploy/devices", src ? src : ".");
	places.devices = devices;
	setup_look_at_cards(&places, &found);
	ck_assert(found.has_alsa);
	ck_assert_uint_eq(found.cards, 3);
	ck_assert_str_eq(found.card[0].device, "x-touch");
	ck_assert_str_eq(found.card[0].usb, "1397:00b4");
	ck_assert_str_eq(found.card[1].device, "x-touch-extender");
	ck_assert_str_eq(found.card[2].device, "");
	ck_assert_str_eq(found.card[2].usb, "");
	ck_assert_ptr_null(strchr(found.card[2].name, '"'));
	ck_assert_uint_eq(found.peers, 1);
	ck_assert_str_eq(found.peer[0].client, "FLUID Synth (1)");
	ck_assert_str_eq(found.peer[0].port, "Synth input");
	struct setup_answers a = {.has_midi = true};
	written(&a);
	ck_assert_msg(strstr(text, "  desk: { device: x-touch }\n") && strstr(text, "  desk2: { device: x-touch-extender }\n"), "%s", text);
	ck_assert_msg(strstr(text, "# desk3: { device: mcu-generic") && strstr(text, "desk/fader1: loop/ch1/level"), "%s", text);
	ck_assert_msg(strstr(text, "connect: \"FLUID Synth (1):Synth input\""), "%s", text);
}
END_TEST

START_TEST(without_sound_devices_there_is_the_simulated_desk)
{
	places.asound = places.snd = "/nowhere";
	setup_look_at_cards(&places, &found);
	ck_assert(!found.has_alsa && found.cards == 0 && found.peers == 0);
	struct setup_answers a = {.has_midi = true};
	written(&a);
	ck_assert_msg(strstr(text, "no desk was found. This is the simulated desk") && strstr(text, "\n  desk: { device: x-touch, transport: socket"),
		      "%s", text);
	ck_assert_msg(!strstr(text, "midi"), "%s", text);
}
END_TEST

START_TEST(lists_that_are_rubbish_do_no_harm)
{
	srandom(8);
	for (int k = 0; k < 200; k++) {
		static const char marks[] = "0123456789 []:-\"\\\nClientPort\x01\xff{}#&*!|>'%";
		char rubbish[600];
		for (size_t i = 0; i + 1 < sizeof(rubbish); i++)
			rubbish[i] = marks[(size_t)random() % (sizeof(marks) - 1)];
		rubbish[sizeof(rubbish) - 1] = '\0';
		put_file("cards", rubbish);
		put_file("seq/clients", rubbish);
		memset(&found, 0, sizeof(found));
		setup_look_at_cards(&places, &found);
		ck_assert_uint_le(found.cards, SETUP_CARDS_MAX);
		ck_assert_uint_le(found.peers, SETUP_PEERS_MAX);
		struct setup_answers a = {.has_midi = true};
		written(&a);
	}
}
END_TEST

/* ------------------------------------------------------------------ who answers */

struct server {
	pid_t pid;
	uint16_t port;
};

/* Answers each connection with `words` once it has said something (NULL: says nothing), and never hangs up. */
static struct server
serve(const char *words, size_t len)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t salen = sizeof(sa);
	struct server s = {0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &salen), 0);
	s.port = ntohs(sa.sin_port);
	s.pid = fork();
	ck_assert_int_ge(s.pid, 0);
	if (s.pid == 0) {
		alarm(60);
		for (;;) {
			char buf[1024];
			int c = accept(fd, NULL, NULL);
			if (c >= 0 && words && recv(c, buf, sizeof(buf), 0) > 0)
				(void)!write(c, words, len);
		}
	}
	close(fd);
	return s;
}

static void
end(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}

static const char hello[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x7e\x01\x02"
			    "{\"d\":{\"authentication\":{\"challenge\":\"abc=\",\"salt\":\"def=\"},\"obsWebSocketVersion\":\"5.3.3\",\"rpcVersion\":1},\"op\":0}";
static const char page[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><head><title>QLC+ Web Access</title>";

/* A probe has 300 ms, which a busy machine may need for itself: what is not found at once is found later. */
#define found_in_time(cond)                                                                        \
	({                                                                                         \
		bool ok_ = false;                                                                  \
		for (int k_ = 0; k_ < 60 && !ok_; k_++) {                                          \
			memset(&found, 0, sizeof(found));                                          \
			setup_probe(&places, &found);                                              \
			ok_ = (cond);                                                              \
		}                                                                                  \
		ok_;                                                                               \
	})

START_TEST(backends_that_answer_are_found)
{
	struct server obs = serve(hello, sizeof(hello) - 1), qlc = serve(page, sizeof(page) - 1), mqtt = serve(NULL, 0);
	places.port[SETUP_OBS] = obs.port;
	places.port[SETUP_QLC] = qlc.port;
	places.port[SETUP_MQTT] = mqtt.port;
	ck_assert(found_in_time(found.backend[SETUP_OBS].found && found.backend[SETUP_QLC].found && found.backend[SETUP_MQTT].found));
	ck_assert(found.backend[SETUP_OBS].needs_password);
	ck_assert_str_eq(found.backend[SETUP_OBS].detail, "OBS WebSocket 5.3.3");
	end(&obs);
	end(&qlc);
	end(&mqtt);
	/* And are not once they are gone. */
	memset(&found, 0, sizeof(found));
	setup_probe(&places, &found);
	for (unsigned b = 0; b < SETUP_BACKENDS; b++)
		ck_assert(!found.backend[b].found);
}
END_TEST

START_TEST(another_server_in_their_place_is_not_taken_for_them)
{
	struct server other = serve("SSH-2.0-OpenSSH\r\n", 17), mute = serve(NULL, 0);
	places.port[SETUP_OBS] = other.port;
	places.port[SETUP_QLC] = mute.port;
	setup_probe(&places, &found);
	ck_assert(!found.backend[SETUP_OBS].found && !found.backend[SETUP_QLC].found);
	end(&other);
	end(&mute);
}
END_TEST

START_TEST(sockets_of_the_session_are_looked_for)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	places.runtime = dir;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/pipewire-0", dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	put_file("bus", "no socket");
	setup_probe(&places, &found);
	ck_assert(found.backend[SETUP_PIPEWIRE].found && !found.backend[SETUP_PULSE].found && !found.backend[SETUP_MPRIS].found);
	close(fd);
}
END_TEST

START_TEST(what_a_backend_says_may_come_in_pieces)
{
	for (size_t len = 0; len < sizeof(hello) - 1; len++) {
		memset(&found, 0, sizeof(found));
		bool over = setup_hear(SETUP_OBS, hello, len, &found);
		ck_assert_msg(over == found.backend[SETUP_OBS].found, "%zu bytes", len);
	}
	memset(&found, 0, sizeof(found));
	ck_assert(setup_hear(SETUP_OBS, hello, sizeof(hello) - 1, &found) && found.backend[SETUP_OBS].found);
	srandom(9);
	for (int k = 0; k < 2000; k++) {
		char rubbish[300];
		for (size_t i = 0; i < sizeof(rubbish); i++)
			rubbish[i] = (char)random();
		setup_hear((enum setup_backend)(k % SETUP_BACKENDS), rubbish, (size_t)(random() % (long)sizeof(rubbish)), &found);
	}
}
END_TEST

START_TEST(ports_are_read)
{
	ck_assert_int_eq(setup_ports(&places, "obs=1,mqtt=0,qlcplus=65535"), 0);
	ck_assert(places.port[SETUP_OBS] == 1 && places.port[SETUP_MQTT] == 0 && places.port[SETUP_QLC] == 65535);
	static const char *const bad[] = {"obs", "obs=", "obs=x", "obs=70000", "obsx=1", "pipewire=3", "obs=1;mqtt=2"};
	for (size_t i = 0; i < BH_ARRAY_LEN(bad); i++)
		ck_assert_msg(setup_ports(&places, bad[i]) == -EINVAL, "%s", bad[i]);
}
END_TEST

/* ------------------------------------------------------------------ what it writes */

START_TEST(what_has_no_driver_yet_is_a_comment)
{
	struct setup_answers a = {.port = {[SETUP_OBS] = 4455}, .password = {[SETUP_OBS] = "a \"b\\"}};
	found.backend[SETUP_OBS].found = found.backend[SETUP_OBS].needs_password = true;
	strcpy(found.backend[SETUP_OBS].detail, "OBS WebSocket 5.3.3");
	written(&a);
	ck_assert_msg(strstr(text, "# Found: OBS WebSocket 5.3.3, with a password.") && strstr(text, "no driver for it yet"), "%s", text);
	ck_assert(!setup_is_secret(&found, &a) && !strstr(text, "a \\\"b"));
	a.has_kind[SETUP_OBS] = a.has_port_key[SETUP_OBS] = a.has_password_key[SETUP_OBS] = true;
	written(&a);
	ck_assert_msg(strstr(text, "\n  obs:\n    kind: obs\n    port: 4455\n    password: \"a \\\"b\\\\\"\n"), "%s", text);
	ck_assert(setup_is_secret(&found, &a));
	a.password[SETUP_OBS] = NULL;
	written(&a);
	ck_assert_msg(strstr(text, "    # password: ") && !setup_is_secret(&found, &a), "%s", text);
	a.only_loop = true;
	written(&a);
	ck_assert_msg(strstr(text, "\n  # obs:\n  #   kind: obs\n"), "%s", text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("setup");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, desks_are_found_among_the_cards_by_their_device_files);
	tcase_add_test(t, without_sound_devices_there_is_the_simulated_desk);
	tcase_add_test(t, lists_that_are_rubbish_do_no_harm);
	tcase_add_test(t, backends_that_answer_are_found);
	tcase_add_test(t, another_server_in_their_place_is_not_taken_for_them);
	tcase_add_test(t, sockets_of_the_session_are_looked_for);
	tcase_add_test(t, what_a_backend_says_may_come_in_pieces);
	tcase_add_test(t, ports_are_read);
	tcase_add_test(t, what_has_no_driver_yet_is_a_comment);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

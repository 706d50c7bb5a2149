/*
 * transport_rawmidi - a device by ALSA's raw MIDI nodes, found by what it is, never by its number
 *
 * We speak to the kernel itself, not through libasound: what we need are five ioctls, the plain descriptor can be kept
 * for a successor, and a small process stays small. Card and port are found by the card's names, its USB id in
 * /proc/asound/cardN/usbid, and the subdevice's name.
 *
 * What the kernel says when the device goes: read and write give ENODEV at once, poll gives POLLERR; while a sequencer
 * client holds the port, open gives EBUSY (without O_NONBLOCK it would block for ever).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <sound/asound.h>

#include "common/folder.h"
#include "common/mem.h"
#include "procs/surface/transport.h"

enum { CARDS_MAX = 32, DEVICES_MAX = 8, SUBDEVICES_MAX = 16 };

struct place {
	int card, device, subdevice;
	int rank; /* the lower, the better */
	char name[64];
};

static bool
usb_fits(const char *wanted, int card)
{
	char path[64], id[16] = "";
	if (!wanted[0])
		return true;
	snprintf(path, sizeof(path), "/proc/asound/card%d/usbid", card);
	bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, id, sizeof(id) - 1) < 9)
		return false;
	id[9] = '\0';
	return transport_matches(wanted, id) >= 0;
}

static bool
card_fits(const struct transport_config *cfg, int control, int card)
{
	struct snd_ctl_card_info info = {0};
	if (ioctl(control, SNDRV_CTL_IOCTL_CARD_INFO, &info) < 0)
		return false;
	info.name[sizeof(info.name) - 1] = '\0';
	info.longname[sizeof(info.longname) - 1] = '\0';
	return (transport_matches(cfg->card, (const char *)info.name) >= 0 ||
		transport_matches(cfg->card, (const char *)info.longname) >= 0) &&
	       usb_fits(cfg->usb, card);
}

/* Information on one direction of a subdevice. */
static int
port_info(int control, int device, int subdevice, int stream, struct snd_rawmidi_info *info)
{
	memset(info, 0, sizeof(*info));
	info->device = (unsigned)device;
	info->subdevice = (unsigned)subdevice;
	info->stream = stream;
	if (ioctl(control, SNDRV_CTL_IOCTL_RAWMIDI_INFO, info) < 0)
		return -errno;
	info->name[sizeof(info->name) - 1] = '\0';
	info->subname[sizeof(info->subname) - 1] = '\0';
	return 0;
}

/* The best port of a card that has both directions. */
static void
look_at_card(const struct transport_config *cfg, int control, int card, struct place *best)
{
	int device = -1;
	for (unsigned k = 0; k < DEVICES_MAX; k++) {
		struct snd_rawmidi_info in, out;
		if (ioctl(control, SNDRV_CTL_IOCTL_RAWMIDI_NEXT_DEVICE, &device) < 0 || device < 0)
			return;
		for (int sub = 0; sub < SUBDEVICES_MAX; sub++) {
			if (port_info(control, device, sub, SNDRV_RAWMIDI_STREAM_INPUT, &in) < 0 ||
			    port_info(control, device, sub, SNDRV_RAWMIDI_STREAM_OUTPUT, &out) < 0)
				break;
			const char *name = (const char *)(in.subname[0] ? in.subname : in.name);
			int rank = transport_matches(cfg->port, name);
			if (rank < 0 || rank >= best->rank)
				continue;
			*best = (struct place){.card = card, .device = device, .subdevice = sub, .rank = rank};
			snprintf(best->name, sizeof(best->name), "%.60s", name);
		}
	}
}

static int
open_control(int card)
{
	char path[64];
	snprintf(path, sizeof(path), "/dev/snd/controlC%d", card);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* No active sensing when we close: the kernel's default sends an FE, which a desk may take for a sign of life. */
static void
quiet_output(int fd)
{
	struct snd_rawmidi_params p = {
		.stream = SNDRV_RAWMIDI_STREAM_OUTPUT, .buffer_size = 4096, .avail_min = 1, .no_active_sensing = 1};
	ioctl(fd, SNDRV_RAWMIDI_IOCTL_PARAMS, &p);
}

static int
open_place(const struct place *p)
{
	char path[64];
	bh_autoclose int control = open_control(p->card);
	if (control < 0)
		return control;
	/* Holds while the control node is open: the open below then gets this subdevice. */
	int sub = p->subdevice;
	if (ioctl(control, SNDRV_CTL_IOCTL_RAWMIDI_PREFER_SUBDEVICE, &sub) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/dev/snd/midiC%dD%d", p->card, p->device);
	bh_autoclose int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct snd_rawmidi_info info = {.stream = SNDRV_RAWMIDI_STREAM_INPUT};
	if (ioctl(fd, SNDRV_RAWMIDI_IOCTL_INFO, &info) < 0)
		return -errno;
	if ((int)info.subdevice != p->subdevice)
		return -EBUSY; /* somebody else has ours, the kernel gave us the next */
	quiet_output(fd);
	return bh_steal_fd(&fd);
}

static int
raw_open(struct transport *t)
{
	struct place best = {.rank = INT32_MAX};
	int denied = 0;
	if (t->hint_fd < 0)
		t->hint_fd = bh_folder_watch("/dev/snd");
	for (int card = 0; card < CARDS_MAX; card++) {
		bh_autoclose int control = open_control(card);
		if (control == -EACCES)
			denied = -EACCES;
		if (control >= 0 && card_fits(&t->cfg, control, card))
			look_at_card(&t->cfg, control, card, &best);
	}
	if (best.rank == INT32_MAX)
		return denied ? denied : -ENODEV;
	int fd = open_place(&best);
	if (fd < 0)
		return fd == -ENOENT ? -ENODEV : fd;
	t->fd = fd;
	snprintf(t->what, sizeof(t->what), "%s (hw:%d,%d,%d)", best.name, best.card, best.device, best.subdevice);
	return 0;
}

static int
raw_adopt(struct transport *t, int fd)
{
	struct snd_rawmidi_info info = {.stream = SNDRV_RAWMIDI_STREAM_INPUT};
	if (ioctl(fd, SNDRV_RAWMIDI_IOCTL_INFO, &info) < 0) {
		int r = errno == ENODEV ? -ENODEV : -EBADF;
		close(fd);
		return r;
	}
	if (t->hint_fd < 0)
		t->hint_fd = bh_folder_watch("/dev/snd");
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	t->fd = fd;
	info.subname[sizeof(info.subname) - 1] = '\0';
	snprintf(t->what, sizeof(t->what), "%.31s (hw:%d,%u,%u)", (const char *)info.subname, info.card, info.device,
		 info.subdevice);
	return 0;
}

static ssize_t
raw_read(struct transport *t, void *buf, size_t len)
{
	ssize_t n = read(t->fd, buf, len);
	if (n < 0)
		return -errno;
	return n > 0 ? n : -EAGAIN;
}

static ssize_t
raw_write(struct transport *t, const void *buf, size_t len)
{
	ssize_t n = write(t->fd, buf, len);
	return n < 0 ? -errno : n;
}

static void
raw_close(struct transport *t)
{
	bh_close(&t->fd);
}

static bool
raw_hint(struct transport *t)
{
	bool any = bh_folder_drain(t->hint_fd);
	bh_close(&t->hint_fd); /* the next try watches anew: the folder itself may have come just now */
	return any;
}

const struct transport_ops transport_rawmidi = {
	.name = "rawmidi",
	.keeps = true,
	.open = raw_open,
	.adopt = raw_adopt,
	.read = raw_read,
	.write = raw_write,
	.close = raw_close,
	.hint = raw_hint,
};

/* SPDX-License-Identifier: ISC */
#include "readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/message.h"
#include "base/str.h"
#include "system/file.h"

static void print_ports(const struct listeners *listeners)
{
	struct str text = { 0 };
	ssize_t written;

	for (size_t i = 0; i < listeners->count; i++) {
		str_append_number(&text, listeners->list[i].port);
		str_append_byte(&text, '\n');
	}
	written = write(STDOUT_FILENO, text.data, text.length);
	(void)written; /* nobody wants to know */
	str_free(&text);
}

static _Noreturn void refuse_descriptor(const struct settings *settings)
{
	char doing[sizeof "write to descriptor -2147483648"];

	snprintf(doing, sizeof doing, "write to descriptor %d",
		 settings->ready_fd);
	errno = EBADF;
	fail(settings, doing);
}

/* Were it closed, one of our own descriptors would get its number, and be
   written to and closed in its place. */
void check_readiness(const struct settings *settings)
{
	if (settings->ready_fd >= 0 && fcntl(settings->ready_fd, F_GETFD) < 0)
		refuse_descriptor(settings);
}

static void print_newline(const struct settings *settings)
{
	if (write(settings->ready_fd, "\n", 1) < 0 &&
	    settings->verbosity != QUIET)
		warn("unable to write to descriptor %d:", settings->ready_fd);
	close(settings->ready_fd);
}

/* A path, or a name in the abstract space, which begins with "@" here. */
static int send_to(const char *name, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(name);
	socklen_t size =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	ssize_t sent;
	int fd;

	errno = EINVAL;
	if ((*name != '/' && *name != '@') || length >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, name, length);
	if (*name == '@') address.sun_path[0] = '\0';
	else size++;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) return -1;
	sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		      (const struct sockaddr *)&address, size);
	file_close(fd);
	return sent < 0 ? -1 : 0;
}

static void notify(const struct settings *settings, const char *text)
{
	const char *name = getenv("NOTIFY_SOCKET");

	if (!name || !*name || send_to(name, text) == 0) return;
	if (settings->verbosity != QUIET) warn("unable to notify the manager:");
}

void tell_readiness(const struct listeners *listeners,
		    const struct settings *settings)
{
	for (size_t i = 0; i < listeners->count; i++)
		if (listeners->list[i].fd == settings->ready_fd)
			refuse_descriptor(settings);
	if (settings->print_port) print_ports(listeners);
	if (settings->ready_fd >= 0) print_newline(settings);
	notify(settings, "READY=1");
}

/* systemd compares the time with that of its own request. */
void tell_reloading(const struct settings *settings)
{
	char text[sizeof "RELOADING=1\nMONOTONIC_USEC=" + 24];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify(settings, text);
}

void tell_reloaded(const struct settings *settings)
{
	notify(settings, "READY=1");
}

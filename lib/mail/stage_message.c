/* SPDX-License-Identifier: ISC */
#include "mail/stage_message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "system/file.h"

enum {
	MEMORY_ROOM = 16384, /* for lines on top */
	FILE_ROOM = 65536,
};

/* Not from the heap: pages that no message reaches cost nothing, and no system
   call asks for them. */
static char memory[MEMORY_ROOM + STAGE_MEMORY_LIMIT];
static char *const usual_place = memory + MEMORY_ROOM;

/* ---- taking ---- */

/* Fills the usual place from descriptor 0; `*length` is less than all of it only
   at the end of the message. */
static int fill_memory(size_t *length)
{
	*length = 0;
	while (*length < STAGE_MEMORY_LIMIT) {
		ssize_t n = read(STDIN_FILENO, usual_place + *length,
				 STAGE_MEMORY_LIMIT - *length);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return -1;
		if (n == 0) break;
		*length += (size_t)n;
	}
	return 0;
}

/* Descriptor 0 is a file: nothing of it is read. */
static bool use_in_place(struct stage_message *message)
{
	struct stat file;
	off_t at;

	if (fstat(STDIN_FILENO, &file) < 0 || !S_ISREG(file.st_mode))
		return false;
	at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	if (at < 0) return false;
	*message = (struct stage_message){
		.size = file.st_size > at ? (size_t)(file.st_size - at) : 0,
		.fd = STDIN_FILENO,
		.start = at,
	};
	return true;
}

static int open_on_disk(void)
{
	const char *folder = getenv("TMPDIR");
	struct str path = { 0 };
	int fd;

	if (!folder || !*folder) folder = "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0) return fd;
	str_append_text(&path, folder);
	str_append_text(&path, "/message.XXXXXX");
	fd = mkostemp(path.data, O_CLOEXEC);
	if (fd >= 0) unlink(path.data);
	str_free(&path);
	return fd;
}

int stage_file(size_t bytes)
{
	int fd = -1;

	if (bytes <= STAGE_MEMORY_LIMIT)
		fd = memfd_create("stage", MFD_CLOEXEC);
	return fd < 0 ? open_on_disk() : fd;
}

static int write_at(int fd, const char *bytes, size_t length, off_t at)
{
	while (length > 0) {
		ssize_t n = pwrite(fd, bytes, length, at);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return -1;
		bytes += n;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

int stage_file_with(const void *bytes, size_t length)
{
	int fd = stage_file(length);

	if (fd < 0 || write_at(fd, bytes, length, 0) == 0) return fd;
	file_close(fd);
	return -1;
}

/* The rest of descriptor 0 into the file: from a pipe without a copy through
   this process, from anything else by way of the memory. */
static enum queue_exit_code copy_rest(int fd, size_t *size)
{
	size_t length;
	ssize_t n;

	do {
		n = splice(STDIN_FILENO, NULL, fd, NULL, STAGE_MEMORY_LIMIT, 0);
		if (n > 0) *size += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0) return QUEUE_DONE;
	if (errno != EINVAL) return QUEUE_CANNOT_WRITE;
	do {
		if (fill_memory(&length) < 0) return QUEUE_CANNOT_READ;
		if (file_write(fd, usual_place, length) < 0)
			return QUEUE_CANNOT_WRITE;
		*size += length;
	} while (length == STAGE_MEMORY_LIMIT);
	return QUEUE_DONE;
}

enum queue_exit_code stage_message_take(struct stage_message *message, int file,
					off_t room)
{
	size_t length;

	if (use_in_place(message)) return QUEUE_DONE;
	if (fill_memory(&length) < 0) return QUEUE_CANNOT_READ;
	*message = (struct stage_message){ .size = length, .fd = -1 };
	if (length < STAGE_MEMORY_LIMIT) {
		message->bytes = usual_place;
		return QUEUE_DONE;
	}
	message->fd = file ? file : open_on_disk();
	message->start = file ? room : 0;
	if (message->fd < 0 ||
	    (room && file && lseek(file, room, SEEK_SET) < 0) ||
	    file_write(message->fd, usual_place, length) < 0)
		return QUEUE_CANNOT_WRITE;
	return copy_rest(message->fd, &message->size);
}

/* ---- reading ---- */

const char *stage_message_at(const struct stage_message *message, size_t offset,
			     size_t *length)
{
	size_t left = message->size - offset;
	ssize_t n;

	if (message->bytes || left == 0) {
		*length = left;
		return message->bytes ? message->bytes + offset : usual_place;
	}
	if (message->size > STAGE_MEMORY_LIMIT && left > STAGE_CHUNK)
		left = STAGE_CHUNK;
	do
		n = pread(message->fd, usual_place, left,
			  message->start + (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n == 0) errno = EPROTO;
	if (n <= 0) return NULL;
	*length = (size_t)n;
	return usual_place;
}

static int write_both(const struct str *head,
		      const struct stage_message *message, char *bytes, int fd)
{
	struct iovec parts[] = {
		{ head->data, head->length },
		{ bytes, message->size },
	};
	ssize_t n = writev(fd, parts, 2);
	size_t done = n > 0 ? (size_t)n : 0;

	if (n < 0 && errno != EINTR) return -1;
	if (done < head->length) {
		if (file_write(fd, head->data + done, head->length - done) < 0)
			return -1;
		done = head->length;
	}
	done -= head->length;
	return file_write(fd, bytes + done, message->size - done);
}

/* A short message in a file, into the memory. */
static int read_whole(const struct stage_message *message)
{
	size_t done = 0;

	while (done < message->size) {
		ssize_t n = pread(message->fd, usual_place + done,
				  message->size - done,
				  message->start + (off_t)done);

		if (n < 0 && errno == EINTR) continue;
		if (n == 0) errno = EPROTO;
		if (n <= 0) return -1;
		done += (size_t)n;
	}
	return 0;
}

/* In the kernel. */
static int send_file(const struct stage_message *message, size_t from, int fd)
{
	off_t at = message->start + (off_t)from;
	off_t end = message->start + (off_t)message->size;

	while (at < end) {
		ssize_t n = sendfile(fd, message->fd, &at, (size_t)(end - at));

		if (n < 0 && errno != EINTR) return -1;
		if (n == 0) {
			errno = EPROTO; /* it shrank under us */
			return -1;
		}
	}
	return 0;
}

int stage_message_write(const struct stage_message *message,
			const struct str *head, int fd)
{
	if (message->bytes)
		return write_both(head, message, message->bytes, fd);
	if (message->size <= STAGE_MEMORY_LIMIT) {
		if (read_whole(message) < 0) return -1;
		return write_both(head, message, usual_place, fd);
	}
	if (file_write(fd, head->data, head->length) < 0) return -1;
	return send_file(message, 0, fd);
}

/* ---- changing ---- */

static int load(struct stage_message *message)
{
	if (read_whole(message) < 0) return -1;
	if (message->fd != STDIN_FILENO) close(message->fd);
	*message = (struct stage_message){ .bytes = usual_place,
					   .size = message->size,
					   .fd = -1 };
	return 0;
}

/* False when there is no room for it. */
static bool replace_in_memory(struct stage_message *message, size_t cut,
			      const struct str *top)
{
	char *rest = message->bytes + cut;
	size_t rest_length = message->size - cut;

	if ((size_t)(rest - memory) < top->length) {
		if (top->length > sizeof memory ||
		    rest_length > sizeof memory - top->length)
			return false;
		memmove(memory + top->length, rest, rest_length);
		rest = memory + top->length;
	}
	message->bytes = rest - top->length;
	memcpy(message->bytes, top->data, top->length);
	message->size = top->length + rest_length;
	return true;
}

/* Only a file that no folder has is for us to write to: others are somebody's,
   like the one that a shell gave us by "<". */
static bool has_room(const struct stage_message *message, size_t cut,
		     size_t needed)
{
	struct stat file;
	int flags = fcntl(message->fd, F_GETFL);

	return message->start + (off_t)cut >= (off_t)needed && flags >= 0 &&
	       (flags & O_ACCMODE) == O_RDWR && !(flags & O_APPEND) &&
	       fstat(message->fd, &file) == 0 && file.st_nlink == 0;
}

/* Into a new file with room before it: one that is full grows no second time. */
static int copy_behind(struct stage_message *message, size_t cut,
		       const struct str *top)
{
	const off_t start = FILE_ROOM;
	int fd = open_on_disk(), result;

	if (fd < 0) return -1;
	result = lseek(fd, start, SEEK_SET) < 0 ||
				 file_write(fd, top->data, top->length) < 0
			 ? -1
			 : 0;
	if (result == 0)
		result = message->bytes ? file_write(fd, message->bytes + cut,
						     message->size - cut)
					: send_file(message, cut, fd);
	if (result < 0) {
		file_close(fd);
		return -1;
	}
	if (message->fd > STDIN_FILENO) close(message->fd);
	*message = (struct stage_message){
		.size = top->length + message->size - cut,
		.fd = fd,
		.start = start,
	};
	return 0;
}

int stage_message_replace_top(struct stage_message *message, size_t cut,
			      const struct str *top)
{
	if (!message->bytes && message->size <= STAGE_MEMORY_LIMIT &&
	    load(message) < 0)
		return -1;
	if (message->bytes && replace_in_memory(message, cut, top)) return 0;
	if (!message->bytes && has_room(message, cut, top->length)) {
		off_t at = message->start + (off_t)cut - (off_t)top->length;

		if (write_at(message->fd, top->data, top->length, at) < 0)
			return -1;
		message->start = at;
		message->size = message->size - cut + top->length;
		return 0;
	}
	return copy_behind(message, cut, top);
}

/* ---- giving ---- */

static int put_in_place(struct stage_message *message)
{
	if (message->fd == STDIN_FILENO) return 0;
	if (dup2(message->fd, STDIN_FILENO) < 0) return -1;
	close(message->fd);
	message->fd = STDIN_FILENO;
	return 0;
}

int stage_message_give(struct stage_message *message)
{
	if (message->bytes) {
		int fd = stage_file_with(message->bytes, message->size);

		if (fd < 0) return -1;
		*message = (struct stage_message){ .size = message->size,
						   .fd = fd };
		return put_in_place(message);
	}
	if (put_in_place(message) < 0) return -1;
	return lseek(STDIN_FILENO, message->start, SEEK_SET) < 0 ? -1 : 0;
}

/* A copy of the descriptor would share its offset. openat: musl's open would set
   FD_CLOEXEC once more by a call. */
int stage_message_open(const struct stage_message *message)
{
	char path[sizeof "/proc/self/fd/" + 3 * sizeof message->fd];
	int fd;

	snprintf(path, sizeof path, "/proc/self/fd/%d", message->fd);
	fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || message->start == 0 ||
	    lseek(fd, message->start, SEEK_SET) >= 0)
		return fd;
	file_close(fd);
	return -1;
}

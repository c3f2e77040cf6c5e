/* SPDX-License-Identifier: ISC */
#include "maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/message.h"
#include "mail/header.h"
#include "system/file.h"

enum {
	/* Identical messages on their way at once have one slot each. */
	SLOT_LIMIT = 1000,
	/* The field that smtpd puts on top has a date, so it differs in every
	   attempt. It is looked for in this many bytes. */
	TRACE_LIMIT = 4096,
	NAME_ATTEMPTS = 10,
	/* Our lines, of two addresses and a date, and the trace behind them. */
	TOP_LIMIT = 2 * (ENVELOPE_ADDRESS_LIMIT + 64) + TRACE_LIMIT + 128,
	COMPARED_AT_ONCE = 4096,
};

struct job {
	const struct stage *stage;
	struct delivery *deliveries;
	size_t count;
	size_t content; /* where the comparable part begins */
	struct timespec now;
	unsigned long pid;
	char host[256];
	struct str head; /* the lines that we put on top */
	size_t fixed;    /* bytes of them without date and pid */
	struct str path; /* in tmp/ */
	struct str new_path;
};

/* ---- names ---- */

static void start_path(struct str *path, const struct delivery *delivery,
		       const char *folder)
{
	str_clear(path);
	str_append(path, delivery->maildir, delivery->maildir_length);
	str_append_text(path, folder);
}

static const char *tmp_path(struct job *job, const struct delivery *delivery)
{
	char name[64];

	snprintf(name, sizeof name, "%016llx.%u.queue-maildir",
		 (unsigned long long)delivery->hash, delivery->slot);
	start_path(&job->path, delivery, "/tmp/");
	str_append_text(&job->path, name);
	return job->path.data;
}

static const char *new_path(struct job *job, const struct delivery *delivery)
{
	char name[128];

	snprintf(name, sizeof name, "%lld.M%06ldP%luQ%lu.",
		 (long long)job->now.tv_sec, job->now.tv_nsec / 1000, job->pid,
		 delivery->number);
	start_path(&job->new_path, delivery, "/new/");
	str_append_text(&job->new_path, name);
	str_append_text(&job->new_path, job->host);
	return job->new_path.data;
}

/* A host's name as Maildir names may have it: '/' would be a folder, and ':'
   begins the flags. */
static void find_host(char *host, size_t size)
{
	if (gethostname(host, size) < 0) snprintf(host, size, "localhost");
	host[size - 1] = '\0';
	for (char *at = host; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '/' || *at == ':')
			*at = '_';
}

/* ---- hash ---- */

/* Eight bytes at a time; equal hashes cost a comparison, never a message. */
static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t step = length < 8 ? length : 8;
		uint64_t word = 0;

		memcpy(&word, bytes, step);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
		bytes += step;
		length -= step;
	}
	return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text, strlen(text) + 1);
}

/* The length of the Received field that the text begins with; 0 when it has
   none, or when it goes on behind what is looked at. */
static size_t trace_length(const char *text, size_t length)
{
	size_t window = length < TRACE_LIMIT ? length : TRACE_LIMIT;
	const char *at = text, *end = text + window;

	if (window < 9 || strncasecmp(text, "Received:", 9) != 0) return 0;
	do {
		at = memchr(at, '\n', (size_t)(end - at));
		if (!at) return window == length ? length : 0;
		at++;
	} while (at < end && (*at == ' ' || *at == '\t'));
	return at < end || window == length ? (size_t)(at - text) : 0;
}

/* Of the sender and the content, without the field that differs. */
static int hash_message(struct job *job, uint64_t *hash)
{
	const struct stage_message *message = &job->stage->message;
	uint64_t size;
	size_t length;
	const char *bytes = stage_message_at(message, 0, &length);

	if (!bytes) return -1;
	job->content = trace_length(bytes, length);
	size = message->size - job->content;
	*hash = hash_text(0, job->stage->envelope.sender);
	*hash = hash_bytes(*hash, (const char *)&size, sizeof size);
	for (size_t at = job->content;; at += length) {
		bytes = stage_message_at(message, at, &length);
		if (!bytes) return -1;
		if (length == 0) return 0;
		*hash = hash_bytes(*hash, bytes, length);
	}
}

/* ---- the lines on top ---- */

static void append_address(struct str *head, const char *address)
{
	for (; *address; address++) {
		unsigned char byte = (unsigned char)*address;

		str_append_byte(head,
				byte < ' ' || byte == 127 ? '_' : *address);
	}
}

static void make_head(struct job *job, const struct delivery *delivery)
{
	struct str *head = &job->head;

	str_clear(head);
	str_append_text(head, "Return-Path: <");
	append_address(head, job->stage->envelope.sender);
	str_append_text(head, ">\nDelivered-To: ");
	append_address(head, delivery->recipient);
	str_append_text(head, "\nReceived: (qmail ");
	job->fixed = head->length;
	str_append_number(head, job->pid);
	str_append_text(head, " invoked by uid ");
	str_append_number(head, getauxval(AT_UID)); /* no system call */
	str_append_text(head, "); ");
	header_append_date(head, job->now.tv_sec);
	str_append_text(head, "\n");
}

/* ---- the file in tmp/ ---- */

static ssize_t read_at(int fd, char *room, size_t length, size_t offset)
{
	ssize_t n;

	do n = pread(fd, room, length, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Does the file go on from `at` as the message does from its content? */
static bool same_content(const struct job *job, int fd, size_t at)
{
	const struct stage_message *message = &job->stage->message;
	char there[COMPARED_AT_ONCE];

	for (size_t from = job->content; from < message->size;) {
		size_t length;
		const char *here = stage_message_at(message, from, &length);
		ssize_t n;

		if (!here) return false;
		if (length > sizeof there) length = sizeof there;
		n = read_at(fd, there, length, at);
		if (n <= 0 || memcmp(here, there, (size_t)n) != 0) return false;
		from += (size_t)n;
		at += (size_t)n;
	}
	return true;
}

/* Is this what we would write, but for the trace lines? */
static bool is_same_message(const struct job *job, int fd, size_t size)
{
	char top[TOP_LIMIT];
	ssize_t n = read_at(fd, top, sizeof top, 0);
	size_t length = n > 0 ? (size_t)n : 0, at = job->fixed;
	const char *end;

	if (length <= at || memcmp(top, job->head.data, at) != 0) return false;
	end = memchr(top + at, '\n', length - at);
	if (!end) return false;
	at = (size_t)(end - top) + 1;
	at += trace_length(top + at, length - at);
	return size - at == job->stage->message.size - job->content &&
	       same_content(job, fd, at);
}

enum claim { CLAIM_GOT, CLAIM_TAKEN, CLAIM_FAILED };

/* Locks the file, and sees that it still has its name: whoever held the lock
   before may have removed that. */
static enum claim lock_file(const char *path, int fd, struct stat *file)
{
	struct stat named;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? CLAIM_TAKEN : CLAIM_FAILED;
	if (fstat(fd, file) < 0) return CLAIM_FAILED;
	if (lstat(path, &named) < 0)
		return errno == ENOENT ? CLAIM_TAKEN : CLAIM_FAILED;
	return file->st_ino == named.st_ino && file->st_dev == named.st_dev
		       ? CLAIM_GOT
		       : CLAIM_TAKEN;
}

/* An earlier attempt's file: delivered already, or to be written anew. */
static enum claim take_over(const struct job *job, struct delivery *delivery,
			    const struct stat *file)
{
	if (!S_ISREG(file->st_mode)) return CLAIM_TAKEN;
	if (file->st_nlink > 1) {
		if (!is_same_message(job, delivery->fd, (size_t)file->st_size))
			return CLAIM_TAKEN;
		delivery->state = DELIVERY_EARLIER;
		return CLAIM_GOT;
	}
	if (file->st_size > 0 && ftruncate(delivery->fd, 0) < 0)
		return CLAIM_FAILED;
	delivery->state = DELIVERY_CLAIMED;
	return CLAIM_GOT;
}

/* The slot's file, made or found; -1 with errno, `*made` says which failed. */
static int open_slot(const char *path, bool *made)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = open(path, flags | O_CREAT | O_EXCL, 0600);

	*made = fd >= 0 || errno != EEXIST;
	return *made ? fd : open(path, flags);
}

/* Tries to have the slot's file for us alone. TAKEN: somebody else has it, or
   it just went away, or it is none of ours; every other slot is as good. */
static enum claim claim_slot(struct job *job, struct delivery *delivery)
{
	const char *path = tmp_path(job, delivery);
	struct stat file;
	enum claim claim;
	bool made;
	int cause;

	delivery->fd = open_slot(path, &made);
	if (delivery->fd < 0)
		return made || errno == EMFILE || errno == ENFILE ||
				       errno == ENOMEM
			       ? CLAIM_FAILED
			       : CLAIM_TAKEN;
	claim = lock_file(path, delivery->fd, &file);
	if (claim == CLAIM_GOT) claim = take_over(job, delivery, &file);
	if (claim == CLAIM_GOT) return claim;
	cause = errno;
	if (made && claim == CLAIM_FAILED) unlink(path);
	close(delivery->fd);
	errno = cause;
	return claim;
}

static bool same_maildir(const struct delivery *a, const struct delivery *b)
{
	return a->maildir_length == b->maildir_length &&
	       memcmp(a->maildir, b->maildir, a->maildir_length) == 0;
}

/* A recipient who is named again gets one more copy. The slots up to that of
   his last one are taken, by ourselves: to try them all would be a million
   system calls for a thousand names. */
static unsigned first_slot(const struct job *job,
			   const struct delivery *delivery)
{
	for (const struct delivery *at = delivery; at > job->deliveries;) {
		at--;
		if (at->hash == delivery->hash && same_maildir(at, delivery))
			return at->slot + 1;
	}
	return 0;
}

static int claim_file(struct job *job, struct delivery *delivery)
{
	for (delivery->slot = first_slot(job, delivery);
	     delivery->slot < SLOT_LIMIT; delivery->slot++) {
		switch (claim_slot(job, delivery)) {
		case CLAIM_GOT: return 0;
		case CLAIM_FAILED: return -1;
		case CLAIM_TAKEN: break;
		}
	}
	errno = EBUSY;
	return -1;
}

/* ---- from tmp/ to new/ ---- */

static int link_file(struct job *job, struct delivery *delivery)
{
	const char *from = tmp_path(job, delivery);

	for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
		if (link(from, new_path(job, delivery)) == 0) {
			delivery->state = DELIVERY_LINKED;
			return 0;
		}
		if (errno != EEXIST) return -1;
		delivery->number += job->count;
	}
	return -1;
}

static bool folder_is_synced(const struct job *job,
			     const struct delivery *delivery)
{
	for (const struct delivery *at = job->deliveries; at < delivery; at++)
		if (same_maildir(at, delivery)) return true;
	return false;
}

/* Also for what an earlier attempt linked: it may have died before this. */
static int sync_folder(struct job *job, struct delivery *delivery)
{
	if (folder_is_synced(job, delivery)) return 0;
	start_path(&job->new_path, delivery, "/new");
	return file_sync_folder(job->new_path.data);
}

static int claim_and_write(struct job *job, struct delivery *delivery)
{
	make_head(job, delivery);
	if (claim_file(job, delivery) < 0) return -1;
	if (delivery->state == DELIVERY_EARLIER) return 0;
	return stage_message_write(&job->stage->message, &job->head,
				   delivery->fd);
}

static int sync_file(struct job *job, struct delivery *delivery)
{
	(void)job;
	return delivery->state == DELIVERY_CLAIMED ? fsync(delivery->fd) : 0;
}

static int link_if_new(struct job *job, struct delivery *delivery)
{
	return delivery->state == DELIVERY_CLAIMED ? link_file(job, delivery)
						   : 0;
}

static int remove_tmp(struct job *job, struct delivery *delivery)
{
	if (unlink(tmp_path(job, delivery)) < 0 && errno != ENOENT)
		warn("cannot remove %s:", job->path.data);
	return 0;
}

/* What cannot be taken back keeps its second name, which tells the next attempt
   that it was delivered: a reader may have moved it on to cur/. */
static int take_back(struct job *job, struct delivery *delivery)
{
	if (delivery->state == DELIVERY_CLAIMED ||
	    (delivery->state == DELIVERY_LINKED &&
	     unlink(new_path(job, delivery)) == 0))
		unlink(tmp_path(job, delivery));
	return 0;
}

/* The order is the promise: no name in new/ before every file is on the disk,
   no name in tmp/ gone before every name in new/ is. All writes come before the
   first sync, so that its commit serves them all. */
static int (*const steps[])(struct job *, struct delivery *) = {
	claim_and_write, sync_file, link_if_new, sync_folder, remove_tmp,
};

static enum queue_exit_code
failed(struct job *job, const struct delivery *delivery, struct str *reason)
{
	int cause = errno;
	char maildir[256];

	start_path(&job->path, delivery, "");
	str_append_text(reason, printable_text(maildir, sizeof maildir,
					       job->path.data));
	str_append_text(reason, ": ");
	str_append_text(reason, error_text(cause));
	for (size_t i = 0; i < job->count; i++)
		take_back(job, &job->deliveries[i]);
	if (cause == ENOSPC || cause == EDQUOT || cause == EFBIG ||
	    cause == EIO)
		return QUEUE_CANNOT_WRITE;
	if (cause == EPROTO) return QUEUE_CANNOT_READ;
	return stage_refuse("ZTemporary error on maildir delivery (#4.3.0)");
}

static enum queue_exit_code start_job(struct job *job, struct str *reason)
{
	uint64_t hash = 0;

	if (job->count == 0) return QUEUE_DONE;
	if (hash_message(job, &hash) < 0) {
		str_append_text(reason, "cannot read the message: ");
		str_append_text(reason, error_text(errno));
		return QUEUE_CANNOT_READ;
	}
	job->pid = (unsigned long)getpid();
	find_host(job->host, sizeof job->host);
	clock_gettime(CLOCK_REALTIME, &job->now);
	for (size_t i = 0; i < job->count; i++) {
		struct delivery *delivery = &job->deliveries[i];

		delivery->hash = hash_text(hash, delivery->recipient);
		delivery->number = i + 1;
	}
	return QUEUE_DONE;
}

enum queue_exit_code maildir_deliver(const struct stage *stage,
				     struct delivery *deliveries, size_t count,
				     struct str *reason)
{
	struct job job = { .stage = stage,
			   .deliveries = deliveries,
			   .count = count };
	enum queue_exit_code code = start_job(&job, reason);

	if (code != QUEUE_DONE) return code;
	for (size_t step = 0; step < sizeof steps / sizeof *steps; step++)
		for (size_t i = 0; i < count; i++)
			if (steps[step](&job, &deliveries[i]) < 0)
				return failed(&job, &deliveries[i], reason);
	return QUEUE_DONE;
}

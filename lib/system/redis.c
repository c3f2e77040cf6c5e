/* SPDX-License-Identifier: ISC */
#include "system/redis.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/message.h"
#include "system/dial.h"
#include "system/file.h"

enum {
	PASSWORD_FILE_LENGTH = 1024,
	CHUNK = 8192,
	/* So much of a password shows that a text has it. */
	TELLING = 8,
};

static const char unix_prefix[] = "unix:";

void redis_hang_up(struct redis_link *link)
{
	if (link->fd >= 0) close(link->fd);
	if (link->reader) redisReaderFree(link->reader);
	str_free(&link->password);
	str_free(&link->commands);
	link->fd = -1;
	link->reader = NULL;
}

static int fail(struct redis_link *link, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(struct redis_link *link, const char *format, ...)
{
	char text[REDIS_CAUSE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	printable_text(link->cause, sizeof link->cause, text);
	redis_hang_up(link);
	return -1;
}

/* Who does not know the word AUTH may repeat what came behind it; the text has
   been made printable since. */
static bool has_password(const struct redis_link *link, const char *text)
{
	char start[TELLING + 1];

	if (link->password.length == 0) return false;
	(void)snprintf(start, sizeof start, "%s", link->password.data);
	return strstr(text, printable_text(start, sizeof start, start));
}

int redis_refuse(struct redis_link *link, const struct redis_answer *answer)
{
	if (answer->kind != REDIS_ERROR) return fail(link, "junk");
	if (!answer->text[0]) return fail(link, "an error that says nothing");
	if (has_password(link, answer->text))
		return fail(link, "an error that cannot be shown");
	return fail(link, "%s", answer->text);
}

/* Connecting. */

static int open_connection(struct redis_link *link)
{
	size_t prefix = sizeof unix_prefix - 1;
	struct dial_place place = { 0 };

	if (strncmp(link->address, unix_prefix, prefix) == 0)
		place.path = link->address + prefix;
	else if (dial_parse(link->address, 0, &place) < 0 || place.path)
		return fail(link, "%s is neither unix:/path nor HOST:PORT",
			    link->address);
	link->fd = dial(&place, link->end);
	if (link->fd >= 0) return 0;
	if (errno == ENONET) return fail(link, "cannot find %s", place.host);
	return fail(link, "cannot connect to %s: %s", link->address,
		    error_text(errno));
}

/* Commands. */

static void add_command(struct str *commands, const char *const *words)
{
	const char *list[REDIS_WORDS];
	char *text;
	int count = 0, length;

	while (words[count]) {
		list[count] = words[count];
		count++;
	}
	length = redisFormatCommandArgv(&text, count, list, NULL);
	if (length < 0) exit(str_memory_exit);
	str_append(commands, text, (size_t)length);
	redisFreeCommand(text);
}

void redis_begin(struct redis_link *link)
{
	link->end = deadline_in(link->seconds);
	link->cause[0] = '\0';
	str_clear(&link->commands);
}

void redis_command(struct redis_link *link, const char *const *words)
{
	add_command(&link->commands, words);
}

static int wait_for(struct redis_link *link, short events)
{
	int ready = deadline_wait(link->fd, events, link->end);

	if (ready > 0) return 0;
	if (ready < 0) return fail(link, "%s", error_text(errno));
	return fail(link, "no answer within %lu s", link->seconds);
}

static int send_bytes(struct redis_link *link, const struct str *bytes)
{
	size_t sent = 0;

	while (sent < bytes->length) {
		ssize_t length =
			send(link->fd, bytes->data + sent, bytes->length - sent,
			     MSG_NOSIGNAL | MSG_DONTWAIT);

		if (length >= 0) {
			sent += (size_t)length;
		} else if (errno == EAGAIN) {
			if (wait_for(link, POLLOUT) < 0) return -1;
		} else if (errno != EINTR) {
			return fail(link, "%s", error_text(errno));
		}
	}
	return 0;
}

/* Answers, as hiredis finds them. Nothing is kept but what fits into the
   answer, so a list may have any number of items; only a list's parts have a
   parent. What these give must not be NULL, which would be out of memory. */

static unsigned depth_of(const redisReadTask *task)
{
	unsigned depth = 0;

	while ((task = task->parent)) depth++;
	return depth;
}

static void keep_error(struct redis_answer *answer, const char *bytes,
		       size_t length)
{
	char text[sizeof answer->text + 1];

	if (length >= sizeof text) length = sizeof text - 1;
	for (size_t i = 0; i < length; i++) text[i] = bytes[i] ? bytes[i] : '?';
	text[length] = '\0';
	printable_text(answer->text, sizeof answer->text, text);
}

static void keep_text(struct redis_answer *answer, const char *bytes,
		      size_t length)
{
	if (length > REDIS_VALUE_LENGTH || memchr(bytes, '\0', length)) {
		answer->kind = REDIS_JUNK;
		return;
	}
	memcpy(answer->text, bytes, length);
	answer->text[length] = '\0';
}

static void *take_text(const redisReadTask *task, char *bytes, size_t length)
{
	struct redis_answer *answer = task->privdata;
	bool is_error = task->type == REDIS_REPLY_ERROR;

	if (task->parent) {
		if (answer->item && task->type == REDIS_REPLY_STRING)
			answer->item(answer->context, depth_of(task), bytes,
				     length);
		return answer;
	}
	answer->kind = is_error ? REDIS_ERROR : REDIS_TEXT;
	if (is_error) keep_error(answer, bytes, length);
	else keep_text(answer, bytes, length);
	return answer;
}

static void *take_number(const redisReadTask *task, long long number)
{
	struct redis_answer *answer = task->privdata;

	if (task->parent) return answer;
	answer->kind = REDIS_NUMBER;
	answer->number = number;
	return answer;
}

static void *take_nothing(const redisReadTask *task)
{
	struct redis_answer *answer = task->privdata;

	if (!task->parent) answer->kind = REDIS_NOTHING;
	return answer;
}

static void make_reader(struct redis_link *link)
{
	static redisReplyObjectFunctions functions = {
		.createString = take_text,
		.createInteger = take_number,
		.createNil = take_nothing,
	};

	if (link->reader) return;
	link->reader = redisReaderCreateWithFunctions(&functions);
	if (!link->reader) exit(str_memory_exit);
}

static int receive(struct redis_link *link)
{
	char bytes[CHUNK];
	ssize_t length;

	if (wait_for(link, POLLIN) < 0) return -1;
	length = recv(link->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (length == 0) return fail(link, "hung up");
	if (length < 0) {
		if (errno == EAGAIN || errno == EINTR) return 0;
		return fail(link, "%s", error_text(errno));
	}
	if ((size_t)length > link->room) return fail(link, "an endless answer");
	link->room -= (size_t)length;
	if (redisReaderFeed(link->reader, bytes, (size_t)length) == REDIS_OK)
		return 0;
	return fail(link, "junk");
}

int redis_next_answer(struct redis_link *link, struct redis_answer *answer)
{
	void *whole = NULL;

	answer->kind = REDIS_LIST;
	answer->text[0] = '\0';
	answer->number = 0;
	link->reader->privdata = answer;
	for (;;) {
		if (redisReaderGetReply(link->reader, &whole) != REDIS_OK)
			return fail(link, "junk");
		if (whole) break;
		if (receive(link) < 0) return -1;
	}
	return 0;
}

/* The first words on a connection. */

static int read_password(struct redis_link *link)
{
	char *end;

	if (file_read(link->password_file, &link->password,
		      PASSWORD_FILE_LENGTH) < 0)
		return fail(link, "cannot read %s: %s", link->password_file,
			    error_text(errno));
	str_append_byte(&link->password, '\0');
	end = strpbrk(link->password.data, "\r\n");
	if (end) *end = '\0';
	link->password.length = strlen(link->password.data);
	if (link->password.length > 0) return 0;
	return fail(link, "there is no password in %s", link->password_file);
}

/* AUTH's words: a colon ends the user's name. What is the password is then
   `link->password` alone. */
static void add_password(struct redis_link *link, struct str *commands)
{
	char *colon = strchr(link->password.data, ':');
	struct str user = { 0 };

	if (colon) {
		size_t length = (size_t)(colon - link->password.data);

		str_append(&user, link->password.data, length);
		link->password.length -= length + 1;
		memmove(link->password.data, colon + 1,
			link->password.length + 1);
	}
	if (colon) {
		add_command(commands,
			    (const char *[]){ "AUTH", user.data,
					      link->password.data, NULL });
	} else {
		add_command(
			commands,
			(const char *[]){ "AUTH", link->password.data, NULL });
	}
	str_free(&user);
}

static void add_database(const struct redis_link *link, struct str *commands)
{
	char number[24];

	(void)snprintf(number, sizeof number, "%ld", link->database);
	add_command(commands, (const char *[]){ "SELECT", number, NULL });
}

static int is_welcome(struct redis_link *link)
{
	struct redis_answer answer = { 0 };

	if (redis_next_answer(link, &answer) < 0) return -1;
	return answer.kind == REDIS_TEXT ? 0 : redis_refuse(link, &answer);
}

static int send_first(struct redis_link *link)
{
	struct str commands = { 0 };
	size_t own = 0;
	int result;

	if (link->password_file && read_password(link) < 0) return -1;
	if (open_connection(link) < 0) return -1;
	if (link->password_file) {
		add_password(link, &commands);
		own++;
	}
	if (link->database != 0) {
		add_database(link, &commands);
		own++;
	}
	str_append(&commands, link->commands.data, link->commands.length);
	result = send_bytes(link, &commands);
	str_free(&commands);
	for (; result == 0 && own > 0; own--) result = is_welcome(link);
	return result;
}

int redis_send(struct redis_link *link)
{
	int result;

	link->room = REDIS_ANSWERS;
	make_reader(link);
	result = link->fd < 0 ? send_first(link)
			      : send_bytes(link, &link->commands);
	str_clear(&link->commands);
	return result;
}

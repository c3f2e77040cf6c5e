/* SPDX-License-Identifier: ISC */
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_codes.h"
#include "base/message.h"

int str_memory_exit = EXIT_TRY_AGAIN;
void (*str_memory_farewell)(void);

/* A sanitizer sees the ends of strings only on the heap. */
#ifndef STR_NURSERY
#define STR_NURSERY 4096
#endif

/* The first strings live here. A program of the chain needs a few short ones,
   and starting the heap for them would be an eighth of its start-up. They fill
   it from its end: what the linker puts behind is libc's own variables, in a
   page that is in use anyway. */
static struct {
	char bytes[STR_NURSERY];
	size_t used;
} nursery;

static char *nursery_front(void)
{
	return nursery.bytes + sizeof nursery.bytes - nursery.used;
}

static bool is_in_nursery(const char *data)
{
	return data >= nursery.bytes &&
	       data < nursery.bytes + sizeof nursery.bytes;
}

/* As realloc. The youngest one grows where it is. */
static char *move(const struct str *s, size_t room)
{
	size_t left = sizeof nursery.bytes - nursery.used;
	char *moved;

	if (s->data && !is_in_nursery(s->data)) return realloc(s->data, room);
	if (s->data && s->data == nursery_front() && room - s->room <= left) {
		nursery.used += room - s->room;
		return memmove(nursery_front(), s->data, s->length + 1);
	}
	if (room <= left) {
		nursery.used += room;
		moved = nursery_front();
	} else {
		moved = malloc(room);
	}
	if (moved && s->data) memcpy(moved, s->data, s->length + 1);
	return moved;
}

void str_die_of_memory(void)
{
	if (str_memory_farewell) str_memory_farewell();
	note("fatal: out of memory");
	exit(str_memory_exit);
}

void str_reserve(struct str *s, size_t more)
{
	size_t wanted, room;
	char *moved;

	if (more < s->room && s->length < s->room - more) return;
	if (more >= SIZE_MAX / 4 || s->length >= SIZE_MAX / 4)
		str_die_of_memory();
	wanted = s->length + more + 1;
	room = wanted + wanted / 2 + 32;
	moved = move(s, room);
	if (!moved) str_die_of_memory();
	if (!s->data) moved[0] = '\0';
	s->data = moved;
	s->room = room;
}

void str_append(struct str *s, const void *bytes, size_t length)
{
	str_reserve(s, length);
	if (length) memcpy(s->data + s->length, bytes, length);
	s->length += length;
	s->data[s->length] = '\0';
}

void str_append_text(struct str *s, const char *text)
{
	str_append(s, text, strlen(text));
}

void str_append_byte(struct str *s, char byte)
{
	str_append(s, &byte, 1);
}

void str_append_number(struct str *s, unsigned long number)
{
	char digits[sizeof number * 3];
	size_t i = sizeof digits;

	do {
		digits[--i] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	str_append(s, digits + i, sizeof digits - i);
}

void str_clear(struct str *s)
{
	s->length = 0;
	if (s->data) s->data[0] = '\0';
}

void str_free(struct str *s)
{
	if (!is_in_nursery(s->data)) free(s->data);
	else if (s->data == nursery_front()) nursery.used -= s->room;
	*s = (struct str){ 0 };
}

void str_append_printable(struct str *s, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;

	str_reserve(s, length);
	for (size_t i = 0; i < length; i++)
		s->data[s->length++] =
			from[i] > 32 && from[i] < 127 ? (char)from[i] : '?';
	s->data[s->length] = '\0';
}

const char *printable_bytes(char *room, size_t size, const void *bytes,
			    size_t length)
{
	const char *from = bytes;
	size_t i;

	for (i = 0; i < length && i + 1 < size; i++)
		room[i] = from[i] >= 32 && from[i] < 127 ? from[i] : '?';
	if (i < length && size > 4) memcpy(room + size - 4, "...", 4);
	else room[i] = '\0';
	return room;
}

const char *printable_text(char *room, size_t size, const char *text)
{
	return printable_bytes(room, size, text, strnlen(text, size));
}

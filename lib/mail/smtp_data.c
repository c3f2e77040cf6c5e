/* SPDX-License-Identifier: ISC */
#include "mail/smtp_data.h"

#include <string.h>

struct decoding {
	const char *at;
	const char *end;
	char *to;
};

/* The text up to the end of its line or of the block. A CR that is the block's
   last byte waits for the next block. */
static enum smtp_data_state decode_text(struct decoding *d,
					enum smtp_data_place *place)
{
	size_t left = (size_t)(d->end - d->at);
	const char *lf = memchr(d->at, '\n', left);
	size_t length = lf ? (size_t)(lf - d->at) : left;
	size_t text = length;

	*place = SMTP_DATA_TEXT;
	if (length > 0 && d->at[length - 1] == '\r') text--;
	memmove(d->to, d->at, text);
	d->to += text;
	d->at += length;
	if (!lf) {
		if (text < length) *place = SMTP_DATA_CR;
		return SMTP_DATA_MORE;
	}
	if (text == length) return SMTP_DATA_BARE_LF;
	d->at++;
	*d->to++ = '\n';
	*place = SMTP_DATA_LINE_START;
	return SMTP_DATA_MORE;
}

/* One byte where the place decides what it means; a byte that has no special
   meaning there is left for decode_text. */
static enum smtp_data_state decode_byte(struct decoding *d,
					enum smtp_data_place *place)
{
	enum smtp_data_place here = *place;

	*place = SMTP_DATA_TEXT;
	switch (here) {
	case SMTP_DATA_LINE_START:
		if (*d->at != '.') break;
		*place = SMTP_DATA_DOT;
		d->at++;
		break;
	case SMTP_DATA_DOT:
		if (*d->at != '\r') break;
		*place = SMTP_DATA_DOT_CR;
		d->at++;
		break;
	case SMTP_DATA_DOT_CR:
		if (*d->at == '\n') {
			d->at++;
			return SMTP_DATA_END;
		}
		/* As qmail does, the dot stays before a CR that is text. */
		*d->to++ = '.';
		*d->to++ = '\r';
		break;
	case SMTP_DATA_CR:
		if (*d->at == '\n') {
			*place = SMTP_DATA_LINE_START;
			*d->to++ = '\n';
			d->at++;
		} else {
			*d->to++ = '\r';
		}
		break;
	case SMTP_DATA_TEXT:
	default: break;
	}
	return SMTP_DATA_MORE;
}

enum smtp_data_state smtp_data_decode(enum smtp_data_place *place,
				      const char *from, size_t *length,
				      char *to, size_t *made)
{
	struct decoding d = { .at = from, .end = from + *length, .to = to };
	enum smtp_data_state state = SMTP_DATA_MORE;

	while (state == SMTP_DATA_MORE && d.at < d.end)
		state = *place == SMTP_DATA_TEXT ? decode_text(&d, place)
						 : decode_byte(&d, place);
	*length = (size_t)(d.at - from);
	*made = (size_t)(d.to - to);
	return state;
}

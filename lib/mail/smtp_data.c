/* SPDX-License-Identifier: ISC */
#include "mail/smtp_data.h"

#include <string.h>

struct decoding {
	struct smtp_data *data;
	const char *at;
	const char *end;
	char *to;
};

/* The text up to the end of its line or of the block. A CR that is the block's
   last byte waits for the next block. */
static enum smtp_data_state decode_text(struct decoding *d)
{
	struct smtp_data *data = d->data;
	size_t left = (size_t)(d->end - d->at);
	const char *lf = memchr(d->at, '\n', left);
	size_t length = lf ? (size_t)(lf - d->at) : left;
	size_t text = length;

	data->place = SMTP_DATA_TEXT;
	if (length > 0 && d->at[length - 1] == '\r') text--;
	memmove(d->to, d->at, text);
	d->to += text;
	d->at += length;
	if (!lf) {
		if (text < length) data->place = SMTP_DATA_CR;
		return SMTP_DATA_MORE;
	}
	data->follows_bare_lf = text == length;
	if (data->follows_bare_lf && data->bare_lf == SMTP_DATA_BARE_LF_STOPS)
		return SMTP_DATA_BARE_LF;
	d->at++;
	*d->to++ = '\n';
	data->place = SMTP_DATA_LINE_START;
	return SMTP_DATA_MORE;
}

/* One byte where the place decides what it means; a byte that has no special
   meaning there is left for the next place. */
static enum smtp_data_state decode_byte(struct decoding *d)
{
	struct smtp_data *data = d->data;

	switch (data->place) {
	case SMTP_DATA_LINE_START:
		data->place = SMTP_DATA_TEXT;
		if (*d->at != '.') break;
		data->place = SMTP_DATA_DOT;
		d->at++;
		break;
	case SMTP_DATA_DOT:
		data->place = SMTP_DATA_TEXT;
		if (*d->at == '\n') *d->to++ = '.';
		if (*d->at != '\r') break;
		data->place = SMTP_DATA_DOT_CR;
		d->at++;
		break;
	case SMTP_DATA_DOT_CR:
		if (*d->at == '\n' && !data->follows_bare_lf) {
			d->at++;
			return SMTP_DATA_END;
		}
		/* As qmail does, the dot stays before a CR that is text. */
		*d->to++ = '.';
		data->place = SMTP_DATA_CR;
		break;
	case SMTP_DATA_CR:
		data->place = SMTP_DATA_TEXT;
		if (*d->at != '\n') {
			*d->to++ = '\r';
			break;
		}
		data->place = SMTP_DATA_LINE_START;
		data->follows_bare_lf = false;
		*d->to++ = '\n';
		d->at++;
		break;
	case SMTP_DATA_TEXT:
	default: return decode_text(d);
	}
	return SMTP_DATA_MORE;
}

enum smtp_data_state smtp_data_decode(struct smtp_data *data, const char *from,
				      size_t *length, char *to, size_t *made)
{
	struct decoding d = {
		.data = data, .at = from, .end = from + *length, .to = to
	};
	enum smtp_data_state state = SMTP_DATA_MORE;

	while (state == SMTP_DATA_MORE && d.at < d.end) state = decode_byte(&d);
	*length = (size_t)(d.at - from);
	*made = (size_t)(d.to - to);
	return state;
}

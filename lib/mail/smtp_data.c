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

/* Without its end: a CR there goes, or waits for what comes next. */
static char *encode_line(struct smtp_data_encoder *encoder, const char *from,
			 size_t length, char *to)
{
	char *end = to + length, *cr;

	memcpy(to, from, length);
	if (length > 0 && end[-1] == '\r') {
		encoder->cr_waits = true;
		end--;
	}
	for (cr = to; (cr = memchr(cr, '\r', (size_t)(end - cr))); cr++)
		*cr = ' ';
	return end;
}

size_t smtp_data_encode(struct smtp_data_encoder *encoder, const char *from,
			size_t length, char *to)
{
	const char *end = from + length;
	char *at = to;

	while (from < end) {
		const char *lf = memchr(from, '\n', (size_t)(end - from));
		size_t text = (size_t)((lf ? lf : end) - from);

		if (encoder->cr_waits && text > 0) *at++ = ' ';
		if (!encoder->in_line && *from == '.') *at++ = '.';
		encoder->cr_waits = false;
		encoder->in_line = true;
		at = encode_line(encoder, from, text, at);
		from += text;
		if (!lf) break;
		*at++ = '\r';
		*at++ = '\n';
		encoder->in_line = encoder->cr_waits = false;
		from++;
	}
	return (size_t)(at - to);
}

size_t smtp_data_encode_end(struct smtp_data_encoder *encoder, char *to)
{
	char *at = to;

	if (encoder->cr_waits) *at++ = ' ';
	if (encoder->in_line) {
		*at++ = '\r';
		*at++ = '\n';
	}
	*at++ = '.';
	*at++ = '\r';
	*at++ = '\n';
	return (size_t)(at - to);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is decided once for an instance: geometry and register values; and what
 * every call checks first: its range, its budget.
 */
#include "internal.h"

static const char *const error_text[] = {
	[0] = "done",
	[-S2_E_CONFIG] = "a configuration field is out of range or unknown",
	[-S2_E_IPA_BITS] =
		"IPA size not 32 to 48 bits (to 52 with LPA or LPA2), or above the PA size",
	[-S2_E_PA_BITS] = "PA size not 32, 36, 40, 42, 44, 48 bits (52 with LPA or LPA2)",
	[-S2_E_UNSUPPORTED] = "not in this build, or not on this instance",
	[-S2_E_ALIGN] = "address or size not a multiple of the granule",
	[-S2_E_SIZE] = "size is zero",
	[-S2_E_WRAP] = "address + size wraps around",
	[-S2_E_IPA_RANGE] = "range ends beyond the IPA size",
	[-S2_E_PA_RANGE] = "range ends beyond the PA size",
	[-S2_E_ATTR] = "contradictory or unknown attributes",
	[-S2_E_FLAGS] = "unknown flags, or flags that exclude each other",
	[-S2_E_BUDGET] = "budget below the least",
	[-S2_E_RESUME] = "op is in the middle of another operation",
	[-S2_E_EXIST] = "something is mapped in the range",
	[-S2_E_NOENT] = "nothing is mapped at the address",
	[-S2_E_BUSY] = "part of the range is busy",
	[-S2_E_NOMEM] = "no table page",
	[-S2_E_BLOCK] = "a block straddles the edge of the range",
	[-S2_E_BATCH] = "not while a batch is open",
};

const char *s2_strerror(int err)
{
	if (err == S2_MORE)
		return "a step is done, the operation is not";
	if (err > 0 || err < S2_E_BATCH)
		return "unknown error";
	return error_text[-err];
}

/* ID_AA64MMFR0_EL1.PARange, and VTCR_EL2.PS, for a PA size; -1: no such size. */
static int pa_range(unsigned pa_bits)
{
	switch (pa_bits) {
	case 32:
		return 0;
	case 36:
		return 1;
	case 40:
		return 2;
	case 42:
		return 3;
	case 44:
		return 4;
	case 48:
		return 5;
	case 52:
		return 6;
	}
	return -1;
}

#define KNOWN_FEATURES                                                                  \
	(S2_FEAT_FWB | S2_FEAT_TLBIRANGE | S2_FEAT_TTL | S2_FEAT_HAFDBS | S2_FEAT_XNX | \
	 S2_FEAT_BBM1 | S2_FEAT_BBM2 | S2_FEAT_ETS2 | S2_FEAT_LPA2 | S2_FEAT_VMID16 |   \
	 S2_FEAT_DBM)

static int check_config(const struct s2 *s2, const struct s2_config *cfg)
{
	if (cfg->features & ~KNOWN_FEATURES || cfg->errata & ~S2_ERRATUM_REPEAT_TLBI ||
	    (cfg->features & S2_FEAT_DBM && !(cfg->features & S2_FEAT_HAFDBS)))
		return S2_E_CONFIG;
	if (s2->granule_shift != 12 && s2->granule_shift != 14 && s2->granule_shift != 16)
		return S2_E_CONFIG;
#ifdef S2_GRANULE_SHIFT
	if (s2->granule_shift != S2_GRANULE_SHIFT)
		return S2_E_UNSUPPORTED;
#endif
	/* 64 KiB granules have had 52 bits since FEAT_LPA, without another layout. */
	if (cfg->features & S2_FEAT_LPA2 && s2->granule_shift == 16)
		return S2_E_CONFIG;
	if (pa_range(cfg->pa_bits) < 0 || (cfg->pa_bits > 48 && s2->wide == S2_WIDE_NO))
		return S2_E_PA_BITS;
	if (cfg->ipa_bits < 32 || cfg->ipa_bits > (s2->wide == S2_WIDE_NO ? 48 : 52) ||
	    cfg->ipa_bits > cfg->pa_bits)
		return S2_E_IPA_BITS;
	return 0;
}

struct s2 config_layout(const struct s2_config *cfg)
{
	struct s2 s2 = {
		.port = cfg->port,
		.features = cfg->features,
		.errata = cfg->errata,
		.ipa_bits = cfg->ipa_bits,
		.pa_bits = cfg->pa_bits,
		.granule_shift = cfg->granule_shift ? cfg->granule_shift : 12,
		.start_level = LAST_LEVEL,
	};

	if (cfg->features & S2_FEAT_LPA2)
		s2.wide = S2_WIDE_LPA2;
	else if (s2.granule_shift == 16 && cfg->pa_bits == 52)
		s2.wide = S2_WIDE_LPA;
	s2.ipa_end = UINT64_C(1) << (s2.ipa_bits & 63);
	s2.pa_end = UINT64_C(1) << (s2.pa_bits & 63);
	s2.oa_mask =
		(UINT64_C(1) << (s2.wide == S2_WIDE_LPA2 ? 50 : 48)) - page_size(&s2);
	return s2;
}

int s2_init(struct s2 *s2, const struct s2_config *cfg)
{
	unsigned root_bits;
	int err;

	*s2 = config_layout(cfg);
	err = check_config(s2, cfg);
	if (err) {
		*s2 = (struct s2){ 0 };
		return err;
	}

	s2->tags = 1; /* 0 is no tag */
	if (s2->features & S2_FEAT_HAFDBS)
		s2->special |= S2_HARDWARE_WRITES;

	/*
	 * The start level with the fewest levels below it that 16 concatenated
	 * tables (4 more bits of IPA) reach. For 4 KiB: level 2 to 34 bits,
	 * level 1 to 43, level 0 above, which makes level -1 unnecessary.
	 */
	while (s2->ipa_bits > level_shift(s2, s2->start_level - 1) + 4)
		s2->start_level--;
	s2->start_shift = (uint8_t)level_shift(s2, s2->start_level);
	if (s2->start_level == LAST_LEVEL)
		s2->special |= S2_SHALLOW;
	root_bits = level_shift(s2, s2->start_level - 1);
	s2->root_pages = (uint8_t)(s2->ipa_bits > root_bits ?
					   1u << (s2->ipa_bits - root_bits) :
					   1u);

	s2->root = s2_port_root_alloc(s2->port, s2->root_pages);
	if (!s2->root) {
		*s2 = (struct s2){ 0 };
		return S2_E_NOMEM;
	}
	return 0;
}

uint64_t s2_vtcr(const struct s2 *s2)
{
	static const uint8_t tg0[] = { [12] = 0, [14] = 2, [16] = 1 };
	uint64_t v = UINT64_C(1) << 31; /* RES1 */
	int base = page_shift(s2) == 12 ? 2 : 3;

	v |= 64u - s2->ipa_bits;		      /* T0SZ */
	v |= (uint64_t)(base - s2->start_level) << 6; /* SL0 */
	v |= (uint64_t)tg0[page_shift(s2)] << 14;     /* TG0 */
	v |= UINT64_C(1) << 8 | UINT64_C(1) << 10;    /* IRGN0, ORGN0: WBWA */
	v |= UINT64_C(3) << 12;			      /* SH0: inner shareable */
	v |= (uint64_t)pa_range(s2->pa_bits) << 16;   /* PS */
	if (s2->features & S2_FEAT_VMID16)
		v |= UINT64_C(1) << 19; /* VS */
	if (s2->features & S2_FEAT_HAFDBS)
		v |= UINT64_C(1) << 21; /* HA */
	if (s2->features & S2_FEAT_DBM)
		v |= UINT64_C(1) << 22; /* HD */
	if (s2->wide == S2_WIDE_LPA2)
		v |= UINT64_C(1) << 32; /* DS */
	return v;
}

uint64_t s2_vttbr(const struct s2 *s2)
{
	uint64_t pa = s2_port_table_pa(s2->port, s2->root);

	/* BADDR[51:48] in [5:2] if addresses have 52 bits [U]. */
	return (pa & ((UINT64_C(1) << 48) - 1)) | (pa >> 48) << 2;
}

int check_shared(const struct s2 *s2, uint32_t flags)
{
	if (!(flags & S2_SHARED))
		return 0;
	return s2->special & S2_RUNS ? S2_E_FLAGS : s2->batch ? S2_E_BATCH : 0;
}

int check_log(const struct s2 *s2, const struct s2_dirty_log *log)
{
	return log && log->bits ? check_range(s2, log->ipa.ipa, log->size) : S2_E_SIZE;
}

struct step step_free(uint32_t flags)
{
	return (struct step){ .entries = NO_BUDGET,
			      .bytes = NO_BUDGET,
			      .shared = flags & S2_SHARED,
			      .hint_level = -1 };
}

/*
 * While a batch is open: no shared calls, for they cannot take over its markers; no
 * call on what it splits, which will be valid again; no destroy; and in it only what
 * need not be finished at once.
 */
static bool batch_allows(const struct s2 *s2, const struct s2_op *op, enum op_kind kind,
			 uint64_t ipa, uint64_t size, uint32_t flags)
{
	bool splitting = kind == OP_SPLIT && op->batch;

	if (flags & S2_SHARED || kind == OP_DESTROY ||
	    (kind != OP_FLUSH && !splitting && batch_remakes(s2->batch, ipa, size)))
		return false;
	return !op->batch || kind == OP_UNMAP || kind == OP_WRPROTECT || kind == OP_AGE ||
	       kind == OP_DIRTY || kind == OP_SPLIT || kind == OP_FLUSH;
}

int op_begin(struct s2 *s2, struct s2_op **opp, struct s2_op *local, struct step *step,
	     enum op_kind kind, uint64_t ipa, uint64_t size, uint64_t arg, uint32_t flags)
{
	struct s2_op *op = *opp;

	if (!op) {
		*local = (struct s2_op){ 0 };
		*opp = op = local;
	}
	if ((op->max_entries && op->max_entries < S2_BUDGET_ENTRIES_MIN) ||
	    (op->max_bytes && op->max_bytes < S2_BUDGET_BYTES_MIN))
		return S2_E_BUDGET;
	if (op->dirty && check_log(s2, op->dirty))
		return check_log(s2, op->dirty);
	if (check_shared(s2, flags))
		return check_shared(s2, flags);
	if (s2->batch && !batch_allows(s2, op, kind, ipa, size, flags))
		return S2_E_BATCH;
	if (op->batch && op->batch != s2->batch)
		return S2_E_BATCH;
	if (op->st.kind == OP_NONE) {
		op->st.kind = (uint8_t)kind;
		op->st.ipa = ipa;
		op->st.size = size;
		op->st.arg = arg;
		op->st.phase = 0;
		op->st.tag = 0;
		op->st.flags = flags;
		op->st.win = op->st.win_end = op->st.pos = ipa;
		op->st.published = op->st.below = 0;
		op->st.reserve = op->st.reserved = 0;
		op->st.look = 0;
		op->st.ended = false;
		op->st.own = (struct s2_limbo){ 0 };
		op->start = op->done = s2_ipa(ipa);
		op->end = s2_ipa(ipa + size);
		op->changed = 0;
	} else if (op->st.kind != kind || op->st.ipa != ipa || op->st.size != size ||
		   op->st.arg != arg || op->st.flags != flags) {
		return S2_E_RESUME;
	}
	if (kind != OP_COLLAPSE || flags & S2_SHARED || op->st.look != s2->look)
		spoil_look(s2, flags);
	*step = step_free(flags);
	step->op = op;
	step->tag = op->batch ? op->batch->tag : op->st.tag;
	if (op->max_entries)
		step->entries = op->max_entries;
	if (op->max_bytes)
		step->bytes = op->max_bytes;
	return 0;
}

int op_end(struct s2 *s2, struct s2_op *op, const struct step *step, int ret)
{
	op->visited = (op->max_entries ? op->max_entries : NO_BUDGET) - step->entries;
	op->cleaned = (op->max_bytes ? op->max_bytes : NO_BUDGET) - step->bytes;
	if (ret != S2_MORE) {
		op->st.kind = OP_NONE;
		if (op->st.tag)
			s2_port_word_add(s2->port, &s2->tags,
					 UINT64_C(0) - (UINT64_C(1) << op->st.tag));
		op->st.tag = 0;
	}
	if (!ret)
		op->done = s2_ipa(op->st.ipa + op->st.size);
	return ret;
}

unsigned tag_new(struct s2 *s2)
{
	/* Each failure of the swap is another's success. */
	for (int i = 0; i < 2 * S2_TAGS; i++) {
		uint64_t tags = s2_port_word_load(s2->port, &s2->tags);
		uint64_t bit = ~tags & (tags + 1);
		unsigned tag = 0;

		if (!bit)
			break;
		if (s2_port_word_cas(s2->port, &s2->tags, tags, tags | bit) != tags)
			continue;
		while (bit >> tag > 1)
			tag++;
		return tag;
	}
	return 0;
}

void tag_free(struct s2 *s2, unsigned tag)
{
	s2_port_word_add(s2->port, &s2->tags, UINT64_C(0) - (UINT64_C(1) << tag));
}

bool tag_take(struct s2 *s2, struct step *step)
{
	if (!step->tag)
		step->tag = step->op->st.tag = (uint8_t)tag_new(s2);
	step->wait |= !step->tag;
	return step->tag;
}

int reserve_fill(struct s2 *s2, void *cookie, uint64_t *reserve, uint64_t n)
{
	while (n--) {
		uint64_t *table = s2_port_table_alloc(s2->port, cookie);

		if (!table) {
			reserve_drain(s2, reserve);
			return S2_E_NOMEM;
		}
		reserve_return(s2, reserve, table);
	}
	return 0;
}

uint64_t *reserve_take(struct s2 *s2, uint64_t *reserve)
{
	uint64_t *table, *meta;

	S2_ASSERT(*reserve & LINK_PRESENT);
	table = s2_port_table_va(s2->port, link_pa(*reserve));
	meta = table_meta(s2, table);
	*reserve = meta[META_LINK];
	meta[META_LINK] = 0;
	return table;
}

void reserve_return(struct s2 *s2, uint64_t *reserve, uint64_t *table)
{
	table_meta(s2, table)[META_LINK] = *reserve;
	*reserve = s2_port_table_pa(s2->port, table) | LINK_PRESENT;
}

void reserve_drain(struct s2 *s2, uint64_t *reserve)
{
	while (*reserve)
		s2_port_table_free(s2->port, reserve_take(s2, reserve));
}

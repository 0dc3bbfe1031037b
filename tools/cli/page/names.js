// What the name of a tensor tells of its place in the model.

const GROUPS =
    ['embedding and output', 'attention', 'feed-forward', 'experts', 'shared experts', 'other'];

const groupOf = (kind) => {
  if (/^(token_embd|output|per_layer_token_embd)$/.test(kind)) return GROUPS[0];
  if (/norm/.test(kind)) return GROUPS[5];
  if (/shexp/.test(kind)) return GROUPS[4];
  if (/_exps/.test(kind)) return GROUPS[3];
  if (/(^|\.)ffn_/.test(kind)) return GROUPS[2];
  return /(^|\.)attn_/.test(kind) ? GROUPS[1] : GROUPS[5];
};

/**
 * {kind, group, layer}: `blk.3.attn_q.weight` is of the kind `attn_q` in layer 3, and
 * `v.blk.3.attn_q.weight`, of a projector, of the kind `v.attn_q`.
 */
const placeOf = (name) => {
  const [, before, layer, after] = /^((?:[a-z]+\.)*)blk\.(\d{1,3})\.(.+)$/s.exec(name) || [];
  const kind = (layer ? before + after : name).replace(/(.)\.weight$/s, '$1');
  return {kind, group: groupOf(kind), layer: layer && Number(layer)};
};

// As they follow one another in a layer.
const KIND_ORDER = [/attn_q/, /attn_k/, /attn_v/, /attn_out/, /ffn_gate/, /ffn_up/, /ffn_down/];

/** Kinds by group, and within it as they are used; the rest by name. */
const inOrder = (kinds) => {
  const rank = (kind) => {
    const at = KIND_ORDER.findIndex((pattern) => pattern.test(kind));
    return GROUPS.indexOf(groupOf(kind)) * 10 + (at < 0 ? 9 : at);
  };
  return [...kinds].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
};

/** A tensor as pages need it: with its place. */
const placed = (tensor) => ({...tensor, ...placeOf(tensor.name)});

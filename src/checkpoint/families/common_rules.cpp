#include <array>

#include "checkpoint/families/family.h"

namespace sluice::checkpoint {

std::span<const Rule> common_rules() {
  static constexpr std::array kRules = {
      Rule{"embed_tokens.*", "token_embd.*", as_it_is},
      Rule{"norm.*", "output_norm.*", as_it_is},
      Rule{"lm_head.*", "output.*", as_it_is},
      Rule{"layers.N.input_layernorm.*", "blk.N.attn_norm.*", as_it_is},
      Rule{"layers.N.post_attention_layernorm.*", "blk.N.ffn_norm.*", as_it_is},
      Rule{"layers.N.self_attn.q_proj.*", "blk.N.attn_q.*", as_it_is},
      Rule{"layers.N.self_attn.k_proj.*", "blk.N.attn_k.*", as_it_is},
      Rule{"layers.N.self_attn.v_proj.*", "blk.N.attn_v.*", as_it_is},
      Rule{"layers.N.self_attn.o_proj.*", "blk.N.attn_output.*", as_it_is},
      Rule{"layers.N.self_attn.q_norm.*", "blk.N.attn_q_norm.*", as_it_is},
      Rule{"layers.N.self_attn.k_norm.*", "blk.N.attn_k_norm.*", as_it_is},
      Rule{"layers.N.mlp.gate_proj.*", "blk.N.ffn_gate.*", as_it_is},
      Rule{"layers.N.mlp.up_proj.*", "blk.N.ffn_up.*", as_it_is},
      Rule{"layers.N.mlp.down_proj.*", "blk.N.ffn_down.*", as_it_is},
      Rule{"layers.N.mlp.gate.*", "blk.N.ffn_gate_inp.*", as_it_is},
      Rule{"layers.N.mlp.router.*", "blk.N.ffn_gate_inp.*", as_it_is},
      Rule{"layers.N.mlp.gate.e_score_correction_bias", "blk.N.exp_probs_b.bias", as_it_is},
      Rule{"layers.N.mlp.shared_expert_gate.*", "blk.N.ffn_gate_inp_shexp.*", as_it_is},
      Rule{"layers.N.mlp.shared_expert.gate_proj.*", "blk.N.ffn_gate_shexp.*", as_it_is},
      Rule{"layers.N.mlp.shared_expert.up_proj.*", "blk.N.ffn_up_shexp.*", as_it_is},
      Rule{"layers.N.mlp.shared_expert.down_proj.*", "blk.N.ffn_down_shexp.*", as_it_is},
      Rule{"layers.N.mlp.shared_experts.gate_proj.*", "blk.N.ffn_gate_shexp.*", as_it_is},
      Rule{"layers.N.mlp.shared_experts.up_proj.*", "blk.N.ffn_up_shexp.*", as_it_is},
      Rule{"layers.N.mlp.shared_experts.down_proj.*", "blk.N.ffn_down_shexp.*", as_it_is},
      Rule{"layers.N.mlp.experts.E.gate_proj.*", "blk.N.ffn_gate_exps.*", expert},
      Rule{"layers.N.mlp.experts.E.up_proj.*", "blk.N.ffn_up_exps.*", expert},
      Rule{"layers.N.mlp.experts.E.down_proj.*", "blk.N.ffn_down_exps.*", expert},
      Rule{"layers.N.mlp.experts.E.w1.*", "blk.N.ffn_gate_exps.*", expert},
      Rule{"layers.N.mlp.experts.E.w3.*", "blk.N.ffn_up_exps.*", expert},
      Rule{"layers.N.mlp.experts.E.w2.*", "blk.N.ffn_down_exps.*", expert},
  };
  return kRules;
}

std::vector<Rule> nextn_rules() {
  return {{"layers.N.eh_proj.*", "blk.N.nextn.eh_proj.*", as_it_is},
          {"layers.N.enorm.*", "blk.N.nextn.enorm.*", as_it_is},
          {"layers.N.hnorm.*", "blk.N.nextn.hnorm.*", as_it_is},
          {"layers.N.embed_tokens.*", "blk.N.nextn.embed_tokens.*", as_it_is},
          {"layers.N.shared_head.norm.*", "blk.N.nextn.shared_head_norm.*", as_it_is},
          {"layers.N.shared_head.head.*", "blk.N.nextn.shared_head_head.*", as_it_is}};
}

}  // namespace sluice::checkpoint

#pragma once

#include "model/description.h"

namespace sluice::model {

Description describe_bailingmoe2(const Metadata& model);
Description describe_deepseek2(const Metadata& model);
Description describe_ernie4_5_moe(const Metadata& model);
Description describe_gemma2(const Metadata& model);
Description describe_gemma3(const Metadata& model);
Description describe_glm4(const Metadata& model);
Description describe_glm4moe(const Metadata& model);
Description describe_gpt_oss(const Metadata& model);
Description describe_llama(const Metadata& model);
Description describe_llama4(const Metadata& model);
Description describe_mimo2(const Metadata& model);
Description describe_minimax_m2(const Metadata& model);
Description describe_mistral3(const Metadata& model);
Description describe_olmo2(const Metadata& model);
Description describe_phi3(const Metadata& model);
Description describe_qwen2(const Metadata& model);
Description describe_qwen2moe(const Metadata& model);
Description describe_qwen3(const Metadata& model);
Description describe_qwen35(const Metadata& model);
Description describe_qwen3moe(const Metadata& model);
Description describe_qwen3next(const Metadata& model);
Description describe_seed_oss(const Metadata& model);
Description describe_smollm3(const Metadata& model);
Description describe_step35(const Metadata& model);

}  // namespace sluice::model

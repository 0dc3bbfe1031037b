#pragma once

// The list of types that have a codec, by number. A type is one word here and one file, of any
// family's folder, which defines codec_<word>(); the table and what finds a codec come from this.

#define SLUICE_CODEC_TYPES(TYPE) \
  TYPE(f32)                      \
  TYPE(f16)                      \
  TYPE(q4_0)                     \
  TYPE(q4_1)                     \
  TYPE(q5_0)                     \
  TYPE(q5_1)                     \
  TYPE(q8_0)                     \
  TYPE(q2_k)                     \
  TYPE(q3_k)                     \
  TYPE(q4_k)                     \
  TYPE(q5_k)                     \
  TYPE(q6_k)                     \
  TYPE(iq2_xxs)                  \
  TYPE(iq2_xs)                   \
  TYPE(iq3_xxs)                  \
  TYPE(iq1_s)                    \
  TYPE(iq4_nl)                   \
  TYPE(iq3_s)                    \
  TYPE(iq2_s)                    \
  TYPE(iq4_xs)                   \
  TYPE(f64)                      \
  TYPE(iq1_m)                    \
  TYPE(bf16)                     \
  TYPE(tq1_0)                    \
  TYPE(tq2_0)                    \
  TYPE(mxfp4)                    \
  TYPE(nvfp4)                    \
  TYPE(q1_0)                     \
  TYPE(q2_0)                     \
  TYPE(q6_0)                     \
  TYPE(iq1_bn)                   \
  TYPE(iq2_bn)                   \
  TYPE(iq2_k)                    \
  TYPE(iq3_k)                    \
  TYPE(iq4_k)                    \
  TYPE(iq5_k)                    \
  TYPE(iq6_k)                    \
  TYPE(iq4_ks)                   \
  TYPE(iq2_ks)                   \
  TYPE(iq4_kss)                  \
  TYPE(q8_kv)                    \
  TYPE(iq5_ks)                   \
  TYPE(iq2_kt)                   \
  TYPE(iq3_kt)                   \
  TYPE(iq4_kt)                   \
  TYPE(iq3_ks)                   \
  TYPE(iq2_kl)                   \
  TYPE(iq1_kt)                   \
  TYPE(q4_0_r8)                  \
  TYPE(q5_0_r4)                  \
  TYPE(q8_0_r8)                  \
  TYPE(q2_k_r4)                  \
  TYPE(q3_k_r4)                  \
  TYPE(q4_k_r4)                  \
  TYPE(q5_k_r4)                  \
  TYPE(q6_k_r4)                  \
  TYPE(iq2_xxs_r4)               \
  TYPE(iq2_xs_r4)                \
  TYPE(iq3_xxs_r4)               \
  TYPE(iq1_s_r4)                 \
  TYPE(iq4_nl_r4)                \
  TYPE(iq3_s_r4)                 \
  TYPE(iq2_s_r4)                 \
  TYPE(iq4_xs_r8)                \
  TYPE(iq1_m_r4)                 \
  TYPE(bf16_r16)                 \
  TYPE(q6_0_r4)                  \
  TYPE(iq2_bn_r4)                \
  TYPE(iq2_k_r4)                 \
  TYPE(iq3_k_r4)                 \
  TYPE(iq4_k_r4)                 \
  TYPE(iq5_k_r4)                 \
  TYPE(iq4_ks_r4)                \
  TYPE(iq5_ks_r4)                \
  TYPE(mxfp4_r8)                 \
  TYPE(q8_k_r16)                 \
  TYPE(q8_kv_r8)                 \
  TYPE(q8_k_r8)

// Those that are to be prepared (codec/preparation.h): a word here, and a function preparation_<word>()
// beside the codec's.

#define SLUICE_PREPARED_TYPES(TYPE) \
  TYPE(iq1_kt)                      \
  TYPE(iq2_kt)                      \
  TYPE(iq3_kt)                      \
  TYPE(iq4_kt)

// Those that have a feedback kernel (codec/feedback/frame.h says how to add one): a word here, and a
// file of codec/feedback that defines feedback_<word>().

#define SLUICE_FEEDBACK_TYPES(TYPE) \
  TYPE(iq1_s)                       \
  TYPE(iq1_m)                       \
  TYPE(iq2_xxs)                     \
  TYPE(iq2_xs)                      \
  TYPE(iq2_s)                       \
  TYPE(iq3_xxs)                     \
  TYPE(iq3_s)                       \
  TYPE(q2_k)                        \
  TYPE(q3_k)                        \
  TYPE(q4_k)                        \
  TYPE(q5_k)                        \
  TYPE(q6_k)                        \
  TYPE(iq4_nl)                      \
  TYPE(iq4_xs)                      \
  TYPE(iq2_k)                       \
  TYPE(iq3_k)                       \
  TYPE(iq4_k)                       \
  TYPE(iq5_k)                       \
  TYPE(iq6_k)                       \
  TYPE(iq2_ks)                      \
  TYPE(iq3_ks)                      \
  TYPE(iq4_ks)                      \
  TYPE(iq5_ks)                      \
  TYPE(iq2_kl)                      \
  TYPE(iq4_kss)                     \
  TYPE(q1_0)                        \
  TYPE(q2_0)                        \
  TYPE(nvfp4)                       \
  TYPE(iq1_kt)                      \
  TYPE(iq2_kt)                      \
  TYPE(iq3_kt)                      \
  TYPE(iq4_kt)                      \
  TYPE(iq1_s_r4)                    \
  TYPE(iq1_m_r4)

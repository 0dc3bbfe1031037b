# Writes a C++ file that holds the style and the scripts of the pages: cmake -D SOURCE=folder
# -D OUTPUT=file -D "SCRIPTS=a.js;b.js" -P embed_page.cmake
file(READ ${SOURCE}/style.css style)
set(script "\"use strict\";\n{\n")
foreach(name IN LISTS SCRIPTS)
  file(READ ${SOURCE}/${name} text)
  string(APPEND script "${text}\n")
endforeach()
string(APPEND script "}\n")

# The hash in base64, of which a digit is six bits: three hexadecimal digits are two of them.
string(SHA256 hex "${script}")
string(APPEND hex "00")
set(digits ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
set(hash "")
foreach(at RANGE 0 63 3)
  string(SUBSTRING ${hex} ${at} 3 three)
  math(EXPR high "0x${three} >> 6")
  math(EXPR low "0x${three} & 63")
  string(SUBSTRING ${digits} ${high} 1 first)
  string(SUBSTRING ${digits} ${low} 1 second)
  string(APPEND hash ${first}${second})
endforeach()
string(REGEX REPLACE "A$" "=" hash ${hash})

file(WRITE ${OUTPUT} "#include \"page_assets.h\"

namespace sluice::cli {

const std::string_view kPageStyle = R\"page(${style})page\";
const std::string_view kPageScript = R\"page(${script})page\";
const std::string_view kPageScriptHash = \"sha256-${hash}\";

}  // namespace sluice::cli
")

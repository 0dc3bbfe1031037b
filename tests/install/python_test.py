"""Arguments: the shared library, a model, its importance matrix, a folder to write to."""

import sys

from quantize import Sluice, SluiceError

library, model, imatrix, folder = sys.argv[1:]
sluice = Sluice(library, input=model, output=folder + "/out.gguf", type="IQ1_M", imatrix=imatrix)
assert sluice.version().count(".") == 2
plan = sluice.plan()
assert any(tensor["type"] == "iq1_m" for tensor in plan["tensors"])

shares = []
try:
    sluice.quantize(lambda done: shares.append(done) or True)
    raise AssertionError("the run was not stopped")
except SluiceError as error:
    assert error.name == "interrupted" and error.exit_status == 130, error
tensors = []
report = sluice.quantize(shares.append, on_tensor=tensors.append)
assert shares[-1] == 1, shares
assert report["wall_s"] > 0 and report["write_bytes"] > 0, report
assert set(tensors) == {tensor["name"] for tensor in report["tensors"]}
assert any(tensor["plain_error"] for tensor in report["tensors"])

known = sluice.known_options()
assert "Importance matrix" in known["imatrix"] and len(known) > 40, known
assert set(sluice.known_options(8)) > {"a", "b", "io"} and "type" not in sluice.known_options(8)
out = folder + "/out.gguf"
assert Sluice(library, output=out, against=model, imatrix=imatrix, io="read").verify()["good"]
comparison = Sluice(library, a=model, b=out)
assert not comparison.compare()["identical"]
try:
    comparison.compare(lambda done: True)
    raise AssertionError("the comparison was not stopped")
except SluiceError as error:
    assert error.name == "interrupted", error
# Options may be set in any order.
small = Sluice(library, type="38", mix="ik_llama.cpp", pure=True, input=model).plan()
assert any(tensor["type"] == "mxfp4" for tensor in small["tensors"])

for options in ({"type": "IQ1_X"}, {"no such": "option"}):
    try:
        Sluice(library, **options)
        raise AssertionError("accepted: %s" % options)
    except SluiceError as error:
        assert error.name == "usage" and str(error), error
try:
    Sluice(library, input="none.gguf", output=folder + "/x.gguf", type="Q8_0").quantize()
    raise AssertionError("a missing input was found")
except SluiceError as error:
    assert error.name == "input_open" and "none.gguf" in str(error), error

"""Quantizes a model from Python through the C interface of the shared library.

    quantize.py LIBRARY MODEL.gguf OUT.gguf TYPE [MODEL.imatrix]
"""

import ctypes
import json
import sys


class Error(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("code", ctypes.c_int32), ("exit_status", ctypes.c_int32)]
    _fields_ += [(name, ctypes.c_char_p) for name in ("name", "message", "file", "tensor", "cure")]


class Progress(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t)]
    _fields_ += [(name, ctypes.c_uint64) for name in ("input_bytes_done", "input_bytes", "weights")]
    _fields_ += [("elapsed_s", ctypes.c_double)]


OnProgress = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Progress), ctypes.c_void_p)
OnNote = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p)


class Observer(ctypes.Structure):
    _fields_ = [("progress", OnProgress), ("note", OnNote), ("user", ctypes.c_void_p)]


class SluiceError(Exception):
    def __init__(self, error):
        super().__init__(error.message.decode())
        self.name = error.name.decode()
        self.exit_status = error.exit_status
        self.tensor = error.tensor.decode()


class Sluice:
    """One set of options, and what can be done with it."""

    def __init__(self, library, **options):
        self.library = ctypes.CDLL(library)
        for name, result in (
            ("sluice_version", ctypes.c_char_p),
            ("sluice_options_new", ctypes.c_void_p),
            ("sluice_plan_json", ctypes.c_void_p),
        ):
            getattr(self.library, name).restype = result
        for name in ("sluice_options_free", "sluice_free", "sluice_error_free"):
            getattr(self.library, name).argtypes = [ctypes.c_void_p]
            getattr(self.library, name).restype = None
        self.options = ctypes.c_void_p(self.library.sluice_options_new())
        for name, value in options.items():
            self.call(self.library.sluice_options_set, name.encode(), str(value).encode())

    def __del__(self):
        self.library.sluice_options_free(self.options)

    def call(self, function, *arguments):
        error = ctypes.POINTER(Error)()
        result = function(self.options, *arguments, ctypes.byref(error))
        if error:
            raised = SluiceError(error.contents)
            self.library.sluice_error_free(error)
            raise raised
        return result

    def version(self):
        return self.library.sluice_version().decode()

    def plan(self):
        text = self.call(self.library.sluice_plan_json)
        plan = json.loads(ctypes.string_at(text))
        self.library.sluice_free(text)
        return plan

    def quantize(self, on_progress=lambda done: False, on_note=print):
        """`on_progress` gets the share that is done, and may return True to stop."""

        def progress(now, _):
            return int(bool(on_progress(now.contents.input_bytes_done / now.contents.input_bytes)))

        observer = Observer(OnProgress(progress), OnNote(lambda text, _: on_note(text.decode())))
        self.call(self.library.sluice_quantize, ctypes.byref(observer))


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    library, *values = sys.argv[1:]
    sluice = Sluice(library, **dict(zip(("input", "output", "type", "imatrix"), values)))
    print(f"sluice {sluice.version()}: {sluice.plan()['output_bytes']} bytes to write")
    sluice.quantize(lambda done: print(f"{100 * done:.0f} %", file=sys.stderr))

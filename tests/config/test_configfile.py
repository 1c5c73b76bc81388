"""The TOML of a run: what is read, what is refused, and what is said about it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lora_wizard.core.config import configfile
from lora_wizard.core.errors import Problem, ProblemsError, WizardError
from lora_wizard.core.secret import redacted
from lora_wizard.tui.cli import main

MINIMAL = '[model]\nbase = "base"\n[dataset]\nfolder = "pictures"\n'

TOKEN = "hf_" + "aB3" * 12


def problems_of(text: str, *overrides: str) -> list[Problem]:
    with pytest.raises(ProblemsError) as caught:
        configfile.loads(text, Path("/runs"), overrides)
    return caught.value.problems


def only(text: str, *overrides: str) -> Problem:
    (problem,) = problems_of(text, *overrides)
    return problem


def test_relative_paths_count_from_the_tomls_folder_and_home_is_expanded(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(
        '[model]\nbase = "models/mine"\n[output]\nfolder = "~/out/$HOME"\n'
        '[dataset]\nregularization_folder = "../class"\n'
        '[[dataset.concepts]]\nfolder = "a"\n[[dataset.concepts]]\nfolder = "/b"\n'
    )
    (tmp_path / "models/mine").mkdir(parents=True)
    config = configfile.load(tmp_path / "run.toml")
    assert config.model.base == str(tmp_path / "models/mine")
    assert config.output.folder == f"{Path.home()}/out/$HOME"
    assert config.dataset.regularization_folder == str(tmp_path.parent / "class")
    assert [concept.folder for concept in config.dataset.concepts] == [str(tmp_path / "a"), "/b"]


def test_a_hub_id_stays_unless_there_is_such_a_folder(tmp_path: Path) -> None:
    text = MINIMAL.replace('"base"', '"owner/model-1.5"')
    assert configfile.loads(text, tmp_path).model.base == "owner/model-1.5"
    (tmp_path / "owner/model-1.5").mkdir(parents=True)
    assert configfile.loads(text, tmp_path).model.base == str(tmp_path / "owner/model-1.5")


def test_embedded_names_lead_into_the_templates(tmp_path: Path) -> None:
    config = configfile.loads(
        '[model]\nbase = "embedded:demo"\n[dataset]\nfolder = "embedded:demo/pictures"\n', tmp_path
    )
    assert Path(config.model.base).parts[-3:] == ("templates", "demo", "base")
    assert Path(config.dataset.folder).parts[-3:] == ("templates", "demo", "pictures")


@pytest.mark.parametrize("value", ["embedded:../../etc", "embedded:", "embedded:demo/../../x"])
def test_embedded_names_do_not_leave_the_templates(value: str) -> None:
    problem = only(MINIMAL.replace('"pictures"', f'"{value}"'))
    assert (problem.where, problem.line) == ("dataset.folder", 4)


@pytest.mark.parametrize("value", ["a/" * 2500 + "b", "o" * 300 + "/name", "x" * 300, "a\\u0007b"])
def test_what_can_be_no_path_is_refused(value: str) -> None:
    for key in ("dataset.folder", "model.base"):
        problem = only(MINIMAL.replace('"pictures"' if "folder" in key else '"base"', f'"{value}"'))
        assert problem.where == key
        assert len(problem.message) < 200


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_lines() -> None:
    found = problems_of(
        "[model]\n"  # 1: no base
        'precision = "bf17"\n'
        "[training]\n"
        "epochs = 0\n"
        'seed = "42"\n'
        "[optimizer]\n"
        "learning_rate = nan\n"
        "betas = [0.9, 1.5]\n"
        "warmup = inf\n"
        "unet_learning_rate = 0\n"
        "[dataset]\n"
        "resolution = [512]\n"
    )
    assert [(problem.line, problem.where) for problem in found] == [
        (1, "model.base"),
        (2, "model.precision"),
        (4, "training.epochs"),
        (5, "training.seed"),
        (7, "optimizer.learning_rate"),
        (8, "optimizer.betas"),
        (9, "optimizer.warmup"),
        (10, "optimizer.unet_learning_rate"),
        (11, "dataset.folder"),
        (12, "dataset.resolution"),
    ]
    said = {problem.where: f"{problem.message}. {problem.remedy}" for problem in found}
    assert "from 1 to 100000" in said["training.epochs"]
    assert '"bf16", "fp16" or "fp32"' in said["model.precision"]
    assert "without the quotes" in said["training.seed"]
    assert "nan" in said["optimizer.learning_rate"]
    assert '"off"' in said["optimizer.unet_learning_rate"]


@pytest.mark.parametrize(
    ("section", "key", "meant"),
    [
        ("network", "rnk", "rank"),
        ("network", "Rank", "rank"),
        ("network", "network_dim", "network.rank"),
        ("network", "train_batch_size", "training.batch_size"),
        ("network", "epochs", "[training]"),
        ("training", "seeed", "seed"),
        ("captions", "keep-tokens", "keep_tokens"),
        ("captions", "seed", "[training] or [samples]"),
        ("dataset", "reg_data_dir", "dataset.regularization_folder"),
        ("dataset", "min_bucket_resolution", "bucket_min_side"),
        ("optimizer", "zzzzzz", "options optimizer"),
    ],
)
def test_an_unknown_key_leads_to_the_one_that_was_meant(section: str, key: str, meant: str) -> None:
    line = f"{key} = 3\n"
    text = f"{MINIMAL}{line}" if section == "dataset" else f"{MINIMAL}[{section}]\n{line}"
    problem = only(text)
    assert problem.where == f"{section}.{key}"
    assert meant in problem.remedy


@pytest.mark.parametrize(
    ("head", "meant"),
    [("[trainin]", "training"), ("[Network]", "[network]"), ("[nonsense]", "options")],
)
def test_an_unknown_section_leads_to_the_one_that_was_meant(head: str, meant: str) -> None:
    problem = only(f"{MINIMAL}{head}\nx = 1\n")
    assert problem.line == 5
    assert meant in problem.remedy


def test_a_value_where_a_section_belongs() -> None:
    problem = only(f"training = 3\n{MINIMAL}")
    assert (problem.where, problem.line) == ("training", 1)
    assert "[training]" in problem.remedy


@pytest.mark.parametrize(
    ("text", "line", "help_with"),
    [
        ("[model]\nbase = mika\n", 2, "quotes"),
        ('[model]\nbase = "C:\\models"\n', 2, "backslash"),
        ("[model]\n\nbase\n", 3, "key = value"),
        ('[model]\nbase = "a"\nbase = "b"\n', 3, "keep one"),
        ("[model]\n[model]\n", 2, "one heading"),
        ('[model]\nbase = "a\n', 2, "quote"),
        ("[a" + ".a" * 400_000 + "]\n", None, ""),
        ("x = " + "[" * 20_000, None, ""),
        ("x = " + "9" * 6_000, None, ""),
    ],
)
def test_what_is_not_toml_is_said_with_its_line(
    text: str, line: int | None, help_with: str
) -> None:
    problem = only(text)
    assert problem.line == line
    assert help_with in problem.remedy


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        (["[dataset]"], "dataset.folder"),
        (['dataset.folder = "a"', "[[dataset.concepts]]", 'folder = "b"'], "dataset.folder"),
        (['dataset.folder = "a"', 'dataset.regularization_folder = "a"'], None),
        (['dataset.folder = "a"', 'output.folder = "a/out"'], "output.folder"),
        (['dataset.folder = "a"', 'optimizer.unet_learning_rate = "off"',
          'optimizer.text_encoder_learning_rate = "off"'], "optimizer.unet_learning_rate"),
        (['dataset.folder = "a"', "optimizer.warmup = 10", "training.max_steps = 10"], None),
        (['dataset.folder = "a"', "optimizer.warmup = 1.5"], "optimizer.warmup"),
        (['dataset.folder = "a"', "dataset.bucket_min_side = 512",
          "dataset.bucket_max_side = 256"], "dataset.bucket_min_side"),
        (['dataset.folder = "a"', "dataset.resolution = 4"], "dataset.resolution"),
        (['dataset.folder = "a"', "dataset.resolution = [512, 99999]"], "dataset.resolution"),
        (['dataset.folder = "a"', 'output.name = "..x"'], "output.name"),
        (['dataset.folder = "a"', f'output.name = "{"ü" * 110}"'], "output.name"),
    ],
)  # fmt: skip
def test_options_that_contradict_each_other(lines: list[str], where: str | None) -> None:
    problem = only("\n".join(['model.base = "x"', *lines]) + "\n")
    assert where is None or problem.where == where
    assert problem.line is not None


def test_a_check_is_silent_about_what_is_already_known_to_be_wrong() -> None:
    text = (
        MINIMAL.replace("folder", "foldr") + "[optimizer]\nwarmup = 5\n[training]\nmax_steps = -1"
    )
    assert [problem.where for problem in problems_of(text)] == [
        "dataset.foldr",
        "training.max_steps",
    ]


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("training.epochs=3", "training.epochs", 3),
        ("optimizer.learning_rate = 2e-4", "optimizer.learning_rate", 2e-4),
        ("optimizer.unet_learning_rate=off", "optimizer.unet_learning_rate", "off"),
        ("samples.sampler=ddim", "samples.sampler", "ddim"),
        ("output.name=2026-11-21", "output.name", "2026-11-21"),
        ("output.comment=a = b", "output.comment", "a = b"),
        ('output.comment="quoted"', "output.comment", "quoted"),
        ("captions.trigger_words=mika", "captions.trigger_words", ["mika"]),
        ('captions.trigger_words=["a", "b"]', "captions.trigger_words", ["a", "b"]),
        ("dataset.resolution=[448, 640]", "dataset.resolution", [448, 640]),
        ("captions.prefix=", "captions.prefix", ""),
        ("dataset.buckets=false", "dataset.buckets", False),
        ('output.comment=1\nmodel.family = "x"', "output.comment", '1\nmodel.family = "x"'),
    ],
)
def test_a_value_from_the_command_line(override: str, key: str, value: object) -> None:
    config = configfile.loads(MINIMAL, Path("/runs"), [override])
    assert configfile.flat(config)[key] == value


def test_a_path_from_the_command_line_counts_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = configfile.loads(MINIMAL, Path("/runs"), ["dataset.folder=mine"])
    assert config.dataset.folder == str(tmp_path / "mine")
    assert config.output.folder == "/runs/output"


@pytest.mark.parametrize(
    "override",
    ["epochs", "=3", "epochs=3", "training=3", "a.b.c=1", "x\udce4", "output.name=\udce4"],
)
def test_an_override_that_sets_nothing_is_refused(override: str) -> None:
    assert only(MINIMAL, override).message


def test_an_override_sets_one_key_only() -> None:
    problem = only(MINIMAL, "training.epochs=1\n[network]\nrank = 0")
    assert problem.where == "training.epochs"


def test_an_override_mends_the_file_and_its_own_mistakes_have_no_line() -> None:
    broken = f"{MINIMAL}[training]\nepochs = 0\n"
    assert configfile.loads(broken, Path("/runs"), ["training.epochs=2"]).training.epochs == 2
    problem = only(broken, "training.epochs=-2")
    assert (problem.where, problem.line) == ("training.epochs", None)


@pytest.mark.parametrize(
    "text",
    [
        f'{MINIMAL}[output]\ncomment = "{TOKEN}"\n',
        f"{MINIMAL}# {TOKEN}\n",
        f'{MINIMAL}[output]\n{TOKEN} = "x"\n',
        f'{MINIMAL}[output]\ncomment = "\\u0068{TOKEN[1:]}"\n',
        f"[model]\nbase = {TOKEN}\n",
    ],
)
def test_a_token_is_refused_and_never_echoed(text: str) -> None:
    with pytest.raises(WizardError) as caught:
        configfile.loads(text, Path("/runs"))
    assert "token" in str(caught.value)
    assert TOKEN not in str(caught.value)
    with pytest.raises(WizardError) as caught:
        configfile.loads(MINIMAL, Path("/runs"), [f"output.comment={TOKEN}"])
    assert TOKEN not in str(caught.value)


def test_what_is_no_readable_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "huge.toml").write_bytes(b"# \n" * 400_000)
    (tmp_path / "latin.toml").write_bytes(b'[model]\nbase = "m\xfcll"\n')
    (tmp_path / "nul.toml").write_bytes(b"[model]\x00\n")
    for name in ("fifo", "huge.toml", "latin.toml", "nul.toml", "missing.toml", "."):
        with pytest.raises(WizardError):
            configfile.load(tmp_path / name)
    with pytest.raises(WizardError):
        configfile.load(tmp_path / "\x00")
    with pytest.raises(ProblemsError) as caught:
        configfile.load(tmp_path / "latin.toml")
    assert caught.value.problems[0].line == 2


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(
        b"\xef\xbb\xbf" + f"{MINIMAL}[training]\nepochs = 0\n".encode().replace(b"\n", b"\r\n")
    )
    with pytest.raises(ProblemsError) as caught:
        configfile.load(path)
    assert [problem.line for problem in caught.value.problems] == [6]


def test_lines_are_found_in_every_way_of_writing_a_key() -> None:
    text = (
        'model = { base = "x", famly = "y" }\n'
        'dataset."folder" = """a\n'
        '"quoted" = 1 # no key\n'
        '"""\n'
        "captions.trigger_words = [ # one, ]\n"
        '  "a", """b""",\n'
        "  3,\n"
        "]\n"
        "[ 'training' ]\n"
        "epochs = 1 # epoch = 2\n"
        "batch_size = 0\n"
        "[[dataset.concepts]]\n"
        "[[dataset.concepts]]\n"
        "repeats = 0\n"
        "folder = 'c'\n"
        "[dataset.concepts.more]\n"
    )
    lines = {problem.where: problem.line for problem in problems_of(text)}
    assert lines["model.famly"] == 1
    assert lines["captions.trigger_words[2]"] == 7
    assert lines["training.batch_size"] == 11
    assert lines["dataset.concepts[0].folder"] == 12
    assert lines["dataset.concepts[1].repeats"] == 14
    assert lines["dataset.concepts[1].more"] == 16


def test_a_password_in_an_address_is_refused_and_never_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "https://me:hf_xxx@huggingface.co/a/b"
    (tmp_path / "run.toml").write_text(MINIMAL.replace('"base"', f'"{address}"'))
    (tmp_path / "plain.toml").write_text(MINIMAL)
    assert main(["check", str(tmp_path / "run.toml")]) == 2
    assert main(["check", str(tmp_path / "plain.toml"), "--set", f"model.base={address}"]) == 2
    with pytest.raises(SystemExit):
        main(["check", str(tmp_path / "plain.toml"), address])
    said = capsys.readouterr()
    assert "hf_xxx" not in said.out + said.err
    assert "Tokens come from the environment" in said.err + said.out
    assert redacted("scp root@8.8.4.4:/tmp/mika: https://me@example.org:80/a") == (
        "scp root@8.8.4.4:/tmp/mika: https://me@example.org:80/a"
    )

"""What is asked is read while somebody waits for it; what a person decided is done in any case."""

from __future__ import annotations

from threading import Event

from textual.app import App

from tests.tui_desk import until
from tui.reader import Reader


async def test_an_act_is_done_whatever_is_forgotten_and_where_its_screen_is_left() -> None:
    app: App[None] = App()
    done: list[str] = []
    told: list[str] = []
    failures: list[BaseException] = []

    def noted(word: str) -> str:
        done.append(word)
        return word

    async with app.run_test() as pilot:
        reader, held = Reader(app, failures.append), Event()
        reader.ask(held.wait, lambda _: told.append("waited"))
        reader.ask(lambda: noted("read"), told.append)
        reader.act(lambda: noted("assigned"), told.append)
        reader.forget()
        held.set()
        await until(pilot, lambda: reader.idle, "everything asked was answered")
        assert done == ["assigned"] and told == ["assigned"]

        held.clear()
        reader.ask(held.wait, lambda _: told.append("waited"))
        reader.ask(lambda: noted("read"), told.append)
        reader.act(lambda: noted("undone"), told.append)
        reader.close()
        held.set()
        await until(pilot, lambda: reader.idle, "what was decided was done")
        assert done == ["assigned", "undone"] and told == ["assigned"] and not failures

        reader.ask(lambda: noted("read"), told.append)
        assert reader.idle, "a timer may ask while the screen is left"
